//! Every URL of Turso's platform API that this server answers.
//!
//! What belongs to an organization exists twice: under `/v1`, which means the organization of the token's owner and
//! is what the CLI asks at first, and under `/v1/organizations/{organization}`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{any, delete, get, post, put};

use crate::http::App;
use crate::platform::{
    account, api_tokens, configuration, databases, dumps, groups, jwks, login, tokens, usage,
};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .nest("/v1", of_organization())
        .nest("/v1/organizations/{organization}", of_organization())
        .route(
            "/v1/organizations/{organization}",
            get(account::show).patch(account::update).delete(account::stays),
        )
        .route("/v1/organizations", get(account::organizations).post(account::stays))
        .route("/v2/organizations", get(account::organizations))
        // Without an organization of its own the CLI leaves its place empty: `/v1/organizations//members`.
        .route("/v1/organizations/members", get(account::members).post(account::stays))
        .route("/v1/organizations/members/{username}", delete(account::stays))
        .route("/v1/organizations/invite", post(account::stays))
        .route("/v1/organizations/invites", get(account::invites).post(account::stays))
        .route("/v1/organizations/audit-logs", get(account::audit_logs))
        .route(
            "/v2/organizations/{organization}/invites",
            get(account::invites).post(account::stays),
        )
        .route("/v2/organizations/{organization}/invites/{email}", delete(account::stays))
        .route("/v2/organizations/{organization}/jwks", get(jwks::list))
        .route("/v2/organizations/{organization}/jwks/{name}", put(jwks::save).delete(jwks::remove))
        .route("/v2/organizations/{organization}/jwks-template", get(jwks::template))
        .route("/v1/auth/validate", get(api_tokens::validate))
        .route("/v1/auth/invalidate", post(api_tokens::revoke_all))
        .route("/v1/auth/api-tokens", get(api_tokens::list))
        .route("/v1/auth/api-tokens/validate", get(api_tokens::validate))
        .route("/v1/auth/api-tokens/{token}", post(api_tokens::mint_v1).delete(api_tokens::revoke))
        .route("/v2/auth/api-tokens/{token}", post(api_tokens::mint_v2))
        .route("/v1/current-user", get(account::user))
        .route("/v1/user", get(account::user))
        .route("/v1/locations", get(account::locations))
        .route("/v1/locations/{location}", get(account::location))
        .route("/v2/locations", get(account::locations_by_platform))
        .route("/v2/organizations/{organization}/locations", get(account::locations_by_platform))
        .route("/releases/latest", get(account::latest_release))
        .route("/signup", get(login::page))
}

fn of_organization() -> Router<Arc<App>> {
    Router::new()
        .merge(of_databases())
        .merge(of_groups())
        .route("/usage", get(usage::of_organization))
        .route("/subscription", get(account::subscription).post(account::stays))
        .route("/plans", get(account::plans))
        .route("/invoices", get(account::invoices))
        .route("/billing/{what}", any(account::stays))
        .route("/members", get(account::members).post(account::stays))
        .route("/members/{username}", post(account::stays).delete(account::stays))
        .route("/invites", get(account::invites).post(account::stays))
        .route("/invite", post(account::stays))
        .route("/invites/{email}", post(account::stays).delete(account::stays))
        .route("/audit-logs", get(account::audit_logs))
        .route("/api-tokens", get(api_tokens::list))
        .route("/api-tokens/{token}", delete(api_tokens::revoke))
}

fn of_databases() -> Router<Arc<App>> {
    Router::new()
        .route("/databases", get(databases::list).post(databases::create))
        .route(
            "/databases/{database}",
            get(databases::show).delete(databases::delete).post(dumps::upload),
        )
        .route(
            "/databases/{database}/configuration",
            get(configuration::show).patch(configuration::configure),
        )
        .route("/databases/{database}/instances", get(configuration::instances))
        .route("/databases/{database}/instances/{instance}", get(configuration::one_instance))
        .route("/databases/{database}/usage", get(usage::of_database))
        .route("/databases/{database}/usage/queries", get(usage::top_queries))
        .route("/databases/{database}/stats", get(usage::stats))
        .route("/databases/{database}/auth/tokens", post(tokens::of_database))
        .route("/databases/{database}/auth/rotate", post(tokens::rotate_database))
        .route("/databases/{database}/wakeup", post(configuration::is_ready))
        .route("/databases/{database}/update", post(configuration::is_ready))
        .route("/databases/{database}/transfer", post(configuration::transfer))
}

fn of_groups() -> Router<Arc<App>> {
    Router::new()
        .route("/groups", get(groups::list).post(groups::create))
        .route("/groups/{group}", get(groups::show).delete(groups::delete))
        .route("/groups/{group}/configuration", get(groups::configuration).patch(groups::configure))
        .route("/groups/{group}/auth/tokens", post(tokens::of_group))
        .route("/groups/{group}/auth/rotate", post(tokens::rotate_group))
        .route(
            "/groups/{group}/locations/{location}",
            post(groups::locations).delete(groups::locations),
        )
        .route("/groups/{group}/locations/{location}/wait", get(groups::is_ready))
        .route("/groups/{group}/unarchive", post(groups::is_ready))
        .route("/groups/{group}/update", post(groups::is_ready))
        .route("/groups/{group}/rename", post(groups::stays))
        .route("/groups/{group}/transfer", post(groups::stays))
        .route("/groups/{group}/aws/migration/info", get(groups::migration))
}
