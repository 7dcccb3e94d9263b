//! Every kind of refusal the platform answers with, as RFC 9457 problem types: a stable code, a status, a title.

use crate::text_enum;

text_enum! {
    /// The stable `code` of a problem; `type` is `urn:aistack:problem:<code>`.
    pub enum ProblemKind {
        /// The body or query is not what the route takes (malformed JSON, wrong types).
        MalformedRequest = "malformed_request",
        /// Well-formed, but a value breaks a rule; `errors[]` has JSON pointers.
        ValidationFailed = "validation_failed",
        /// No credentials, or not accepted.
        Unauthenticated = "unauthenticated",
        /// Name or password is wrong (never says which).
        InvalidCredentials = "invalid_credentials",
        /// The session is over.
        SessionExpired = "session_expired",
        /// The caller lacks the permission named in `permission`.
        PermissionDenied = "permission_denied",
        /// The CSRF token is missing or wrong.
        CsrfTokenInvalid = "csrf_token_invalid",
        /// Host, path, header and token name different tenants.
        TenantMismatch = "tenant_mismatch",
        /// The host name belongs to no tenant.
        UnknownHost = "unknown_host",
        /// No such tenant.
        TenantNotFound = "tenant_not_found",
        /// The tenant's state does not allow this.
        TenantStateForbids = "tenant_state_forbids",
        /// No such thing (or it belongs to somebody else).
        NotFound = "not_found",
        /// The route does not take this method.
        MethodNotAllowed = "method_not_allowed",
        /// It exists already.
        AlreadyExists = "already_exists",
        /// The thing changed meanwhile, or its state does not allow this.
        Conflict = "conflict",
        /// The body is larger than the route takes.
        PayloadTooLarge = "payload_too_large",
        /// The body's media type is not taken.
        UnsupportedMediaType = "unsupported_media_type",
        /// A quota is used up; `meter`, `limit`, `reset` say which and until when.
        QuotaExceeded = "quota_exceeded",
        /// Too many requests or attempts.
        RateLimited = "rate_limited",
        /// The set-up link is wrong, used or too old.
        SetupTokenInvalid = "setup_token_invalid",
        /// Set-up has been done.
        SetupDone = "setup_done",
        /// The uploaded plugin was refused; `reason` says why.
        PluginRefused = "plugin_refused",
        /// The plugin's configuration fails its schema; `errors[]` has JSON pointers.
        PluginConfigInvalid = "plugin_config_invalid",
        /// The plugin is not enabled, or its breaker is open.
        PluginUnavailable = "plugin_unavailable",
        /// The plugin failed (trap, time-out, fault); `fault` has its code.
        PluginFailed = "plugin_failed",
        /// The identity provider refused the sign-in, or its answer was not acceptable.
        LoginRefused = "login_refused",
        /// The sign-in state is unknown, used, too old or of another browser.
        LoginStateInvalid = "login_state_invalid",
        /// The delivery's signature is missing, wrong or too old.
        SignatureInvalid = "signature_invalid",
        /// The payment provider refused.
        PaymentDeclined = "payment_declined",
        /// The outcome at the provider is not known yet; it is being looked up.
        PaymentOutcomeUnknown = "payment_outcome_unknown",
        /// The upstream behind the gateway did not answer properly.
        UpstreamUnavailable = "upstream_unavailable",
        /// The upstream took too long.
        UpstreamTimeout = "upstream_timeout",
        /// The service is starting, stopping or cannot write.
        Unavailable = "unavailable",
        /// A defect of ours; details are in the log under the request id.
        Internal = "internal",
    }
}

impl ProblemKind {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        use ProblemKind as K;
        match self {
            K::MalformedRequest => 400,
            K::Unauthenticated | K::InvalidCredentials | K::SessionExpired => 401,
            K::PaymentDeclined => 402,
            K::PermissionDenied
            | K::CsrfTokenInvalid
            | K::TenantMismatch
            | K::TenantStateForbids
            | K::SetupTokenInvalid
            | K::LoginRefused => 403,
            K::NotFound | K::TenantNotFound => 404,
            K::MethodNotAllowed => 405,
            K::AlreadyExists | K::Conflict | K::SetupDone => 409,
            K::PayloadTooLarge => 413,
            K::UnsupportedMediaType => 415,
            K::UnknownHost => 421,
            K::ValidationFailed | K::PluginRefused | K::PluginConfigInvalid => 422,
            K::QuotaExceeded | K::RateLimited => 429,
            K::LoginStateInvalid | K::SignatureInvalid => 400,
            K::Internal => 500,
            K::PluginFailed | K::UpstreamUnavailable => 502,
            K::PluginUnavailable | K::Unavailable => 503,
            K::UpstreamTimeout => 504,
            K::PaymentOutcomeUnknown => 502,
        }
    }
    /// A short English title that does not vary with the occurrence (RFC 9457 §3.1.4).
    #[must_use]
    pub fn title(self) -> &'static str {
        use ProblemKind as K;
        match self {
            K::MalformedRequest => "The request could not be read",
            K::ValidationFailed => "A value was not accepted",
            K::Unauthenticated => "Sign in first",
            K::InvalidCredentials => "Wrong name or password",
            K::SessionExpired => "The session is over",
            K::PermissionDenied => "Permission denied",
            K::CsrfTokenInvalid => "The CSRF token is missing or wrong",
            K::TenantMismatch => "The request names different tenants",
            K::UnknownHost => "This host name is not served here",
            K::TenantNotFound => "No such tenant",
            K::TenantStateForbids => "The tenant's state does not allow this",
            K::NotFound => "Not found",
            K::MethodNotAllowed => "Method not allowed",
            K::AlreadyExists => "It exists already",
            K::Conflict => "Conflict with the current state",
            K::PayloadTooLarge => "The body is too large",
            K::UnsupportedMediaType => "The media type is not supported",
            K::QuotaExceeded => "The quota is used up",
            K::RateLimited => "Too many requests",
            K::SetupTokenInvalid => "The set-up link is not valid",
            K::SetupDone => "Set-up has been done",
            K::PluginRefused => "The plugin was refused",
            K::PluginConfigInvalid => "The plugin's configuration is not valid",
            K::PluginUnavailable => "The plugin is not available",
            K::PluginFailed => "The plugin failed",
            K::LoginRefused => "The sign-in was refused",
            K::LoginStateInvalid => "The sign-in can't be continued",
            K::SignatureInvalid => "The signature is not valid",
            K::PaymentDeclined => "The payment was declined",
            K::PaymentOutcomeUnknown => "The payment's outcome is not known yet",
            K::UpstreamUnavailable => "The service behind the gateway did not answer",
            K::UpstreamTimeout => "The service behind the gateway took too long",
            K::Unavailable => "The service is not available right now",
            K::Internal => "Internal error",
        }
    }
}
