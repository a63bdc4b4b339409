"""Coupon in Django: count down in the coupon itself with F(), as long as something is left.

The second UPDATE waits for the first one and then finds that nothing is left.

Safe at READ COMMITTED, REPEATABLE READ and SERIALIZABLE; at the higher levels the second one
fails with 40001 and has to try again.

`txfuzz check examples/coupon/fixed.py` ends with:

    No schedule fails at READ COMMITTED, REPEATABLE READ and SERIALIZABLE (… schedules).
"""

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models, transaction

import txfuzz

settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()


class Coupon(models.Model):
    code = models.CharField(max_length=20, primary_key=True)
    uses_left = models.IntegerField()

    class Meta:
        app_label = "shop"


class Redemption(models.Model):
    coupon = models.ForeignKey(Coupon, models.CASCADE)
    customer = models.CharField(max_length=20)

    class Meta:
        app_label = "shop"


@txfuzz.setup
def tables():
    with connection.schema_editor() as editor:
        editor.create_model(Coupon)
        editor.create_model(Redemption)
    Coupon.objects.create(code="SPRING", uses_left=1)


@txfuzz.transaction(customer=["ann", "bob"])
@transaction.atomic
def redeem(customer: str) -> str:
    left = Coupon.objects.filter(code="SPRING", uses_left__gt=0)
    if not left.update(uses_left=models.F("uses_left") - 1):
        return "used up"
    Redemption.objects.create(coupon_id="SPRING", customer=customer)
    return "redeemed"


@txfuzz.invariant
def no_coupon_is_used_more_often_than_it_may_be():
    return list(Coupon.objects.filter(uses_left__lt=0))
