//! The `WWW-Authenticate` of a protected resource, which is anybody's.

use countersign::protocol::bearer::refusal;

/// Other challenges change nothing, before or behind; neither does the case of a name; and the error that was read is
/// read again.
pub fn run(data: &[u8]) {
    let header = super::text(data);
    let error = refusal(&header);
    for before in [
        r#"Basic realm="Bearer error=\"x\"", "#,
        "Negotiate YWJj==, ",
        "DPoP error=x,",
        " ,, ",
    ] {
        assert_eq!(refusal(&format!("{before}{header}")), error, "{before}");
    }
    let upper = |text: &str| text.to_ascii_uppercase();
    assert_eq!(refusal(&upper(&header)), error.as_deref().map(upper));
    let Some(error) = error else {
        return;
    };
    assert!(error.len() < header.len() && header.to_ascii_lowercase().contains("bearer"));
    // A backslash at the end would take the comma with it, and a `=` the challenge.
    if !header.ends_with('\\') && !error.is_empty() {
        let longer = format!(r#"{header}, Bearer error="other""#);
        assert_eq!(refusal(&longer).as_ref(), Some(&error));
    }
    let quoted: String = error.chars().flat_map(|char| ['\\', char]).collect();
    for written in [
        format!(r#"Bearer error="{quoted}""#),
        format!(r#"bearer x=y ,ERROR = "{quoted}" "#),
    ] {
        assert_eq!(refusal(&written).as_ref(), Some(&error));
    }
    let before = format!(r#"Bearer realm="{quoted}", error=x"#);
    assert_eq!(refusal(&before).as_deref(), Some("x"));
    let in_another = format!(r#"DPoP error="{quoted}""#);
    assert_eq!(refusal(&in_another), None);
}
