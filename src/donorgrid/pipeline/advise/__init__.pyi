from . import recommend as recommend
from . import request as request
