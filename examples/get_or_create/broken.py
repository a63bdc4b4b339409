"""Get or create in Django: use the tag of this name, and make it if there is none.

Two articles use a new tag at the same time. Neither get_or_create() sees the other's tag, and
there are two tags of the same name: from then on get_or_create() raises MultipleObjectsReturned.

Breaks at READ COMMITTED and REPEATABLE READ; safe at SERIALIZABLE: there one of the two fails
with 40001.

`txfuzz check examples/get_or_create/broken.py` ends with:

    Not safe: publish × publish at READ COMMITTED and REPEATABLE READ.
"""

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models, transaction

import txfuzz

settings.configure(DATABASES={"default": dj_database_url.config()})
django.setup()


class Tag(models.Model):
    name = models.CharField(max_length=20)

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
