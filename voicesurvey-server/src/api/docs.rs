//! The OpenAPI document, and a page to try the API. Both need nothing from the internet.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::error::ProblemBody;
use crate::app::App;

/// Where the document is.
const DOCUMENT: &str = "/api/openapi.json";

/// Where the page is.
const PAGE: &str = "/api/docs";

/// The page may load from here and from nowhere else. Its styles are partly written by its script.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// What stands above the operations.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "voicesurvey",
        description = "Phone surveys: companies, skillbases, campaigns, call lists, calls and answers.\n\n\
            Every request needs `Authorization: Bearer vsk_…`. A key sees its own company and nothing \
            else; what is another's does not exist. Errors are `application/problem+json` with a \
            stable `code` and all the fields that are wrong. Lists come in parts: repeat the request \
            with `cursor` set to `next_cursor`. Fields that a body does not have are refused.",
        license(name = "MIT OR Apache-2.0")
    ),
    components(schemas(ProblemBody)),
    security(("bearer" = [])),
    tags(
        (name = "companies", description = "Tenants; created by the operator"),
        (name = "api keys", description = "Who may do what"),
        (name = "skillbases", description = "Who speaks, and how"),
        (name = "campaigns", description = "What is asked, when and how fast"),
        (name = "contacts", description = "Call lists, and the people on them"),
        (name = "exclusions", description = "Numbers that must not be called"),
        (name = "erasures", description = "Forgetting people, and how long anything is kept"),
        (name = "calls", description = "Calls with what was said"),
        (name = "review", description = "Answers that may be wrong, and what people make of them"),
        (name = "results", description = "What it adds up to"),
        (name = "exports", description = "Files of results, to be taken away"),
        (name = "health", description = "For whoever watches the server"),
    )
)]
struct Description;

/// A router to which the operations are added.
pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Description::openapi())
}

/// Adds what is common to all operations: the bearer token, and the form of errors.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let problem = ResponseBuilder::new()
        .description("An error")
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("ProblemBody")))
                .build(),
        )
        .build();
    for path in document.paths.paths.values_mut() {
        let operations = [
            &mut path.get,
            &mut path.put,
            &mut path.post,
            &mut path.delete,
            &mut path.patch,
        ];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), problem.clone().into());
        }
    }
    document
}

/// The document and the page.
pub(super) fn router(document: OpenApi) -> Router<App> {
    // The validator would send the document to somebody else's server.
    let config = Config::new([DOCUMENT]).validator_url("none");
    let page = SwaggerUi::new(PAGE).url(DOCUMENT, document).config(config);
    Router::from(page).layer(map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        response
    }))
}
