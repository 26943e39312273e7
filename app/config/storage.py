"""Static files under names that carry a hash of their content."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedStaticFilesStorage(ManifestStaticFilesStorage):
    """Django's manifest storage, imports between ES modules included."""

    support_js_module_import_aggregation = True
