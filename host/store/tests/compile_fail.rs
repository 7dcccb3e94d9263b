//! What must not compile: a query without a scope, a write in a read, a change without an audit entry, a scope or an audit
//! made by hand.

#[test]
fn what_must_not_compile_does_not() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/compile_fail/fine.rs");
    cases.compile_fail("tests/compile_fail/[!f]*.rs");
}
