from . import folder as folder
from . import page as page
from . import recommend as recommend
from . import released_knowledge as released_knowledge
from . import report_study as report_study
from . import request as request
from . import scout as scout
