"""One worker, in this process."""

from __future__ import annotations

from txfuzz.campaign.workers.contract import Asked, Job, Slices, Told


class Here:
    """An Engine."""

    size = 1

    def run(self, job: Job[Asked, Told], slices: Slices[Asked, Told]) -> None:
        with job.opened() as worker:
            while not slices.enough() and (asked := slices.take()) is not None:
                given = asked  # for the function that follows

                def tell(news: Told, given: Asked = given) -> bool:
                    slices.told(given, news)
                    return not slices.enough()

                worker.run(asked, tell)
                slices.ended(asked)
