"""The writer's form."""

from django import forms

from scores.models import Match


class ScoreForm(forms.ModelForm):
    """What changes during a match."""

    class Meta:
        """The fields."""

        model = Match
        fields = ("runs", "wickets", "overs", "note")
