"""Which Debian packages a Python package needs; one home for what is known of them."""

from __future__ import annotations

COMPILER = ("gcc", "libc6-dev", "python3-dev")
# name: (at run time, to build).  What has wheels with all it needs (Pillow, lxml,
# psycopg2-binary, cryptography …) is not here.  Names that are the same in Debian 12 and 13.
NEEDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "psycopg2": (("libpq5",), ("libpq-dev", *COMPILER)),
    "psycopg": (("libpq5",), ()),
    "psycopg[c]": (("libpq5",), ("libpq-dev", *COMPILER)),
    "psycopg-c": (("libpq5",), ("libpq-dev", *COMPILER)),
    "mysqlclient": (("libmariadb3",), ("libmariadb-dev", "pkg-config", *COMPILER)),
    "weasyprint": (("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"), ()),
    "django-weasyprint": (("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"), ()),
    "python-magic": (("libmagic1",), ()),
    "cairosvg": (("libcairo2",), ()),
    "pycairo": (("libcairo2",), ("libcairo2-dev", "pkg-config", *COMPILER)),
    "xhtml2pdf": (("libcairo2",), ("libcairo2-dev", "pkg-config", *COMPILER)),
    "python-ldap": (("ldap-utils",), ("libldap-dev", "libsasl2-dev", *COMPILER)),
    "django-auth-ldap": (("ldap-utils",), ("libldap-dev", "libsasl2-dev", *COMPILER)),
    "pyodbc": (("unixodbc",), ()),
    "mssql-django": (("unixodbc",), ()),
    "pdf2image": (("poppler-utils",), ()),
    "pytesseract": (("tesseract-ocr",), ()),
    "pyzbar": (("libzbar0",), ()),
    "ffmpeg-python": (("ffmpeg",), ()),
    "pydub": (("ffmpeg",), ()),
    "pygraphviz": (("graphviz",), ("libgraphviz-dev", *COMPILER)),
    "graphviz": (("graphviz",), ()),
    "python-gnupg": (("gnupg",), ()),
    "ocrmypdf": (("ghostscript", "tesseract-ocr"), ()),
    "xmlsec": (("libxmlsec1-openssl",), ("libxmlsec1-dev", "pkg-config", *COMPILER)),
    "gitpython": (("git",), ()),
    "pylibmc": (("libmemcached-tools",), ("libmemcached-dev", "zlib1g-dev", *COMPILER)),
    "pdfkit": (("wkhtmltopdf",), ()),
    "pypandoc": (("pandoc",), ()),
    "uwsgi": ((), COMPILER),
    "git+": ((), ("git",)),  # a requirement from a repository
    "django.contrib.gis": (("gdal-bin",), ()),  # brings the libraries, under any version's name
}
