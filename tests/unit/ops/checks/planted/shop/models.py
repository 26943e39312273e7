"""Two tables."""

from django.db import models


class Order(models.Model):
    """An order."""

    code = models.CharField(max_length=9)
    tags = models.ManyToManyField("Tag")

    def __str__(self):
        return self.code


class Tag(models.Model):
    """A tag."""

    name = models.CharField(max_length=9)

    def __str__(self):
        return self.name
