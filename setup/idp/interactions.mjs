/* The provider's own pages: logging in, logging out, something went wrong. No script. */

const STYLE = `
    :root { color-scheme: light; }
    body { font: 1.125rem/1.5 system-ui, sans-serif; margin: 0; background: #f3f4f6;
        color: #16181d; }
    main { max-width: 26rem; margin: 0 auto; padding: 1.5rem 1rem; }
    section { background: #fff; border: 1px solid #d3d7de; border-radius: .5rem;
        padding: 1.25rem; margin-block: 1rem; }
    h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .5rem; }
    h2 { font-size: 1.125rem; margin: 0 0 .5rem; }
    p { margin: 0 0 .75rem; }
    label { display: block; font-weight: 600; margin-block: .75rem .25rem; }
    .help { display: block; font-weight: 400; color: #4a505c; font-size: 1rem; }
    input { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .75rem;
        border: 2px solid #6b7280; border-radius: .375rem; }
    button { font: inherit; font-weight: 600; width: 100%; min-height: 3rem;
        margin-top: 1rem; border: 2px solid #1f4fa3; border-radius: .375rem;
        background: #1f4fa3; color: #fff; cursor: pointer; }
    section > button:first-of-type, form > input[hidden] + button { margin-top: 0; }
    button.other { background: #fff; color: #1f4fa3; }
    :focus-visible { outline: 3px solid #b45309; outline-offset: 2px; }
    .wrong { border-inline-start: .375rem solid #b42318; padding: .5rem .75rem;
        background: #fef3f2; }
`;
const CODE = "mosip:idp:acr:generated-code";
const FINGERPRINT = "mosip:idp:acr:biometrics";
const WRONG = {
    [CODE]: "This ID and this code do not belong together. Look at both and try again.",
    [FINGERPRINT]:
        "Nobody with this ID is known here. Look at the number and try again.",
};

const escapes = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"};
const escape = (text) => String(text).replace(/[&<>"']/g, (found) => escapes[found]);

function page(title, content) {
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>${escape(title)}</h1>
${content}
</main></body>
</html>`;
}

function send(ctx, status, html) {
    ctx.status = status;
    ctx.type = "html";
    ctx.set("Cache-Control", "no-store");
    ctx.set(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    );
    ctx.body = html;
}

function loginPage(given = "", wrong = "") {
    const id = escape(given);
    const alert = wrong ? `<p class="wrong" role="alert">${escape(wrong)}</p>` : "";
    return page(
        wrong ? "Not logged in yet: show who you are" : "Show who you are",
        `<p>This is the national ID provider of the demo. Its people and their codes are
in the file that <code>./spar demo</code> names.</p>
${alert}
<section aria-labelledby="by-code"><form method="post" autocomplete="off">
<h2 id="by-code">With a one-time code</h2>
<input type="hidden" name="acr" value="${CODE}">
<label for="id">National ID <span class="help" id="id-help">10 digits, on the front of
your card</span></label>
<input id="id" name="individual_id" inputmode="numeric" autocomplete="username" required
 aria-describedby="id-help" value="${id}">
<label for="otp">One-time code <span class="help" id="otp-help">6 digits, sent to your
phone</span></label>
<input id="otp" name="otp" inputmode="numeric" autocomplete="one-time-code" required
 aria-describedby="otp-help">
<button>Log in</button>
</form></section>
<section aria-labelledby="by-finger"><form method="post" autocomplete="off">
<h2 id="by-finger">With your fingerprint (simulated)</h2>
<input type="hidden" name="acr" value="${FINGERPRINT}">
<label for="finger-id">National ID</label>
<input id="finger-id" name="individual_id" inputmode="numeric" autocomplete="username"
 required value="${id}">
<button class="other">Put my finger on the reader</button>
</form></section>
<section><form method="post"><input hidden name="cancel" value="1">
<button class="other">Do not log in: go back</button></form></section>`
    );
}

async function readForm(request) {
    let text = "";
    for await (const chunk of request) {
        text += chunk;
        if (text.length > 4096) throw new Error("the form is too long");
    }
    return new URLSearchParams(text);
}

function isRight(people, acr, person, otp) {
    if (!person) return false;
    return acr === FINGERPRINT || (acr === CODE && person.otp === otp);
}

async function grant(provider, {params, session}, accountId) {
    const made = new provider.Grant({accountId, clientId: params.client_id});
    made.addOIDCScope(params.scope);
    const asked = params.claims ? JSON.parse(params.claims) : {};
    made.addOIDCClaims(Object.keys({...asked.userinfo, ...asked.id_token}));
    return {grantId: await made.save()};
}

async function post(provider, people, ctx, details) {
    const form = await readForm(ctx.req);
    if (form.get("cancel")) {
        return {error: "access_denied", error_description: "the person went back"};
    }
    const [acr, id] = [form.get("acr"), (form.get("individual_id") || "").trim()];
    if (!isRight(people, acr, people.get(id), form.get("otp"))) {
        send(ctx, 401, loginPage(id, WRONG[acr] || WRONG[CODE]));
        return null;
    }
    const amr = acr === FINGERPRINT ? ["fpt"] : ["otp"];
    return {
        login: {accountId: id, acr, amr, remember: false},
        consent: await grant(provider, details, id),
    };
}

/* Answer /interaction/…: show the login page, and process what was typed there. */
export function interact(provider, people) {
    return async (ctx, next) => {
        if (!ctx.path.startsWith("/interaction/")) return next();
        const details = await provider.interactionDetails(ctx.req, ctx.res);
        if (details.prompt.name === "consent") {
            // A logged-in person is not asked for consent: the registry is a first party.
            const consent = await grant(provider, details, details.session.accountId);
            const result = {consent};
            return ctx.redirect(await finish(provider, ctx, result));
        }
        if (ctx.method === "GET") return send(ctx, 200, loginPage());
        const result = await post(provider, people, ctx, details);
        if (result) ctx.redirect(await finish(provider, ctx, result));
    };
}

function finish(provider, ctx, result) {
    return provider.interactionResult(ctx.req, ctx.res, result, {
        mergeWithLastSubmission: false,
    });
}

/* Ask for confirmation before the provider's own session ends. */
export function logoutPage(ctx, form) {
    send(
        ctx,
        200,
        page(
            "Log out of the ID provider, too?",
            `<section>${form}
<button form="op.logoutForm" name="logout" value="yes">Yes, log out</button>
<button form="op.logoutForm" class="other">No, stay logged in</button></section>`
        )
    );
}

export function renderError(ctx, out) {
    const rows = Object.entries(out)
        .map(([key, value]) => `<p>${escape(key)}: ${escape(value)}</p>`)
        .join("");
    const html = page("This did not work", `<section>${rows}</section>`);
    send(ctx, ctx.status || 400, html);
}
