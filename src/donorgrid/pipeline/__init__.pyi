from . import advise as advise
from . import analyse as analyse
from . import check as check
from . import exchange as exchange
from . import planning as planning
from . import prepare as prepare
from . import run as run
from . import session as session
