"""Views of every wrong sort."""

from functools import wraps

from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from shop.models import Order


def rows():
    """Give rows."""
    yield "a"
    yield "b"


def export(request):
    """Stream what is not to be streamed."""
    return StreamingHttpResponse(rows())  # W041


def dump(request):
    """Stream a queryset by a generator expression."""
    lines = (order.code for order in Order.objects.all())
    return StreamingHttpResponse(lines, content_type="text/csv")  # W041


def document(request):
    """Send a file."""
    return FileResponse(open("/etc/hostname", "rb"))  # I045


def logged(view):
    """Decorate for synchronous views only."""

    @wraps(view)
    def inner(request):
        return view(request)

    return inner


@logged  # W046
async def wrapped(request):
    """Be called by what does not await."""
    return HttpResponse()
