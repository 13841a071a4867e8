from . import command_line as command_line
from . import run_check as run_check
