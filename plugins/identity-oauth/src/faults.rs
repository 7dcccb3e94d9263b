//! What people read when a sign-in is refused. Codes are for support, these texts for the person at the screen.

use aistack_sdk::{Fault, Kind};

/// Adds a text in the reader's language, where the code has one.
pub(crate) fn explain(fault: Fault, locale: &str) -> Fault {
    let zh = locale
        .split(['-', '_'])
        .next()
        .is_some_and(|l| l.eq_ignore_ascii_case("zh"));
    let text = match (fault.code.as_str(), fault.kind) {
        ("user_cancelled", _) => ["You cancelled the sign-in.", "您取消了登录。"],
        ("policy_denied", _) => ["This account may not sign in here.", "该账号无权登录此处。"],
        ("login_required" | "interaction_required" | "consent_required" | "account_selection_required", _) => [
            "Please sign in at the identity provider first.",
            "请先在身份提供方登录。",
        ],
        (_, Kind::Transport) | ("idp_down", _) => [
            "The identity provider can't be reached. Please try again later.",
            "暂时无法连接身份提供方，请稍后再试。",
        ],
        ("code_rejected" | "id_token_expired", _) => [
            "The sign-in took too long. Please start again.",
            "登录超时，请重新开始。",
        ],
        _ => return fault,
    };
    fault.user_message(text[usize::from(zh)])
}
