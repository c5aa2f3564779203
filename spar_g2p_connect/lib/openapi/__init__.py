"""The OpenAPI 3.0 description of the REST interface, built from the code's own tables.

``schemas`` are the documents, ``paths`` the paths and ``document`` the whole; ``page``
renders it for people.
"""
