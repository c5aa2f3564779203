from . import payment_file
