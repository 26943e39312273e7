"""Views of every right sort."""

import io
from functools import wraps

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.views import View


async def rows():
    """Give rows."""
    yield "a"


async def export(request):
    """Stream."""
    return StreamingHttpResponse(rows())


async def document(request):
    """Send what is in memory anyway."""
    return FileResponse(io.BytesIO(b"a"))


def logged(view):
    """Decorate asynchronous views."""

    @wraps(view)
    async def inner(request):
        return await view(request)

    return inner


@logged
async def wrapped(request):
    """Be called by what awaits."""
    return HttpResponse()


class Same(View):
    """Have handlers of one sort."""

    async def get(self, request):
        """Answer."""
        return HttpResponse()

    async def post(self, request):
        """Answer."""
        return HttpResponse()
