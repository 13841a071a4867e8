from . import exporting as exporting
from . import importing as importing
