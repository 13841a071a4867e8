from . import network as network
from . import request as request
