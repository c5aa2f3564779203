/* The demo's OpenID provider: `node server.mjs CONFIG.json`; prints READY and its issuer.
 *
 * CONFIG: {"issuer", "port", "salt", "clients": [client metadata], "people":
 * [{individual_id, otp, name, email, phone_number, birthdate}]}. All state is in memory,
 * keys are made at start; the subjects of people depend on the salt.
 */
import * as oidc from "oidc-provider";
import {createHash, generateKeyPairSync, randomBytes} from "node:crypto";
import {interact, logoutPage, renderError} from "./interactions.mjs";
import {readFileSync} from "node:fs";

const config = JSON.parse(readFileSync(process.argv[2], "utf8"));
const people = new Map(config.people.map((person) => [person.individual_id, person]));
const {salt} = config;
const minutes = (count) => count * 60;

/* No `alg` in the keys, as eSignet publishes its own. */
function makeKey(kind, options) {
    const {privateKey} = generateKeyPairSync(kind, options);
    const kid = randomBytes(8).toString("hex");
    return {...privateKey.export({format: "jwk"}), use: "sig", kid};
}

function makeKeys() {
    return [
        makeKey("rsa", {modulusLength: 2048}),
        makeKey("ec", {namedCurve: "P-256"}),
        makeKey("ed25519", {}),
    ];
}

/* Like eSignet, ask again if the earlier authentication was weaker than required. */
function buildPolicy() {
    const policy = oidc.interactionPolicy.base();
    policy.get("login").checks.add(
        new oidc.interactionPolicy.Check(
            "acr_wanted",
            "another way is wanted",
            (ctx) => {
                const wanted = (ctx.oidc.params.acr_values || "")
                    .split(" ")
                    .filter(Boolean);
                const known = wanted.filter((acr) =>
                    configuration.acrValues.includes(acr)
                );
                const {session} = ctx.oidc;
                return Boolean(
                    session.accountId && known.length && !known.includes(session.acr)
                );
            }
        )
    );
    return policy;
}

const signing = ["PS256", "ES256", "EdDSA", "RS256"];
const configuration = {
    jwks: {keys: makeKeys()},
    clients: config.clients,
    scopes: ["openid"],
    acrValues: ["mosip:idp:acr:generated-code", "mosip:idp:acr:biometrics"],
    subjectTypes: ["public", "pairwise"],
    pairwiseIdentifier: (ctx, id, client) =>
        createHash("sha256")
            .update(`${client.clientId} ${id} ${salt}`)
            .digest("base64url"),
    clientAuthMethods: ["private_key_jwt", "client_secret_basic", "client_secret_post"],
    pkce: {required: () => true},
    claims: {
        acr: null,
        auth_time: null,
        openid: ["sub"],
        profile: ["name", "birthdate", "individual_id"],
        email: ["email", "email_verified"],
        phone: ["phone_number", "phone_number_verified"],
    },
    enabledJWA: {
        clientAuthSigningAlgValues: signing,
        idTokenSigningAlgValues: signing,
        userinfoSigningAlgValues: signing,
        userinfoEncryptionAlgValues: ["RSA-OAEP-256"],
        userinfoEncryptionEncValues: ["A256GCM", "A128GCM"],
    },
    features: {
        claimsParameter: {enabled: true},
        devInteractions: {enabled: false},
        encryption: {enabled: true},
        jwtUserinfo: {enabled: true},
        pushedAuthorizationRequests: {enabled: true},
        rpInitiatedLogout: {enabled: true, logoutSource: logoutPage},
    },
    cookies: {keys: [randomBytes(32).toString("hex")]},
    ttl: {
        AccessToken: minutes(5),
        AuthorizationCode: minutes(1),
        Grant: minutes(60),
        IdToken: minutes(5),
        Interaction: minutes(10),
        Session: minutes(60),
    },
    interactions: {url: (ctx, interaction) => `/interaction/${interaction.uid}`},
    renderError,
    findAccount: (ctx, id) =>
        people.has(id) && {accountId: id, claims: () => getClaims(id)},
};

/* Everything recorded about the person except the one-time code. */
function getClaims(id) {
    const {otp, ...claims} = people.get(id);
    const verified = {
        email_verified: Boolean(claims.email),
        phone_number_verified: Boolean(claims.phone_number),
    };
    return {sub: id, ...claims, ...verified};
}

configuration.interactions.policy = buildPolicy();
const provider = new oidc.Provider(config.issuer, configuration);
provider.use(interact(provider, people));
provider
    .listen(config.port, "127.0.0.1", () => console.log("READY", config.issuer))
    .on("error", (error) => {
        console.error(`error: ${error.message}`);
        process.exit(1);
    });
