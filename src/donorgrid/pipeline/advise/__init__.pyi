from . import folder as folder
from . import page as page
from . import recommend as recommend
from . import request as request
