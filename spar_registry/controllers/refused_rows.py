from werkzeug.exceptions import NotFound

from odoo import api, http
from odoo.http import content_disposition, request


class RefusedRows(http.Controller):
    """The file of the rows that could not be loaded."""

    @http.route(
        "/spar/registry/files/<string:model>/<int:job_id>/refused",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def get_refused_rows(self, model: str, job_id: int):
        """Send the rows piece by piece, to the user who uploaded the file."""
        if model not in request.env.registry["spar.sealed.import"]._inherit_children:
            raise NotFound()
        job = request.env[model].browse(job_id).exists()
        job.check_access("read")
        job._check_mine()
        name = request.env._("%(name)s, refused rows.csv", name=job.filename or "rows")
        headers = [
            ("Content-Type", "text/csv; charset=utf-8"),
            ("Content-Disposition", content_disposition(name)),
            ("Cache-Control", "no-store"),
        ]
        return request.make_response(_send(request.env, model, job_id), headers)


def _send(env, model: str, job_id: int):
    """Yield the file, read in a transaction of its own: the request's has ended."""
    registry, uid, context = env.registry, env.uid, dict(env.context)
    with registry.cursor(readonly=True) as cr:
        jobs = api.Environment(cr, uid, context)[model]
        for text in jobs.browse(job_id)._iter_refused():
            yield text.encode()
