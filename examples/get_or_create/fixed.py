"""Get or create in Django: the same code, and unique=True.

The second INSERT fails, get_or_create() goes back to the savepoint that it has set before, and
gets the first one's tag.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; but at REPEATABLE READ the tag that was
in the way cannot be seen, so the transaction gives up and has to be tried again.

`txfuzz check examples/get_or_create/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models, transaction

import txfuzz

settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()


class Tag(models.Model):
    name = models.CharField(max_length=20, unique=True)

    class Meta:
        app_label = "blog"


class Article(models.Model):
    title = models.CharField(max_length=40)
    tag = models.ForeignKey(Tag, models.PROTECT)

    class Meta:
        app_label = "blog"


@txfuzz.setup
def tables():
    with connection.schema_editor() as editor:
        editor.create_model(Tag)
        editor.create_model(Article)


@txfuzz.transaction(title=["Rivers", "Lakes"])
@transaction.atomic
def publish(title: str, about: str = "water"):
    tag, _ = Tag.objects.get_or_create(name=about)
    Article.objects.create(title=title, tag=tag)


@txfuzz.invariant
def there_is_one_tag_of_each_name():
    names = Tag.objects.values("name").annotate(tags=models.Count("id"))
    return list(names.filter(tags__gt=1))
