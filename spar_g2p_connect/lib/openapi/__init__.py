"""The description of the REST interface (OpenAPI 3.0), made from the code's own tables.

``schemas`` are the documents, ``paths`` what is where, ``document`` the whole; ``page``
renders it for people.
"""
