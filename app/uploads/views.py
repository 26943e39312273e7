"""The upload page."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from uploads.models import Upload

SHOWN = 20
PAYLOAD_TOO_LARGE = 413


class UploadForm(forms.ModelForm):
    """One file."""

    class Meta:
        """Only the file is the user's to give."""

        model = Upload
        fields = ("file",)


@login_required
def upload(request: HttpRequest) -> HttpResponse:
    """Show the user's files and take a new one.

    nginx refuses bodies that cannot be within the limit; the last bytes, which it
    cannot tell from the form around the file, are judged here by the same page.
    """
    context = {"limit_mib": settings.UPLOAD_LIMIT_BYTES // (1024 * 1024)}
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        received = request.FILES.get("file")
        if received is not None and received.size > settings.UPLOAD_LIMIT_BYTES:
            return render(request, "413.html", context, status=PAYLOAD_TOO_LARGE)
        if form.is_valid():
            form.instance.owner = request.user
            form.instance.size = received.size
            form.save()
            messages.success(request, f"{form.instance.name} is here.")
            return redirect("upload")
    mine = Upload.objects.filter(owner=request.user).order_by("-uploaded_at")[:SHOWN]
    return render(request, "uploads/upload.html", {**context, "form": form, "uploads": mine})
