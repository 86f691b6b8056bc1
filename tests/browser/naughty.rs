//! The big list of naughty strings: texts that programs have broken on.

/// All of them; `None` (said aloud) where the list is not installed.
pub fn strings(test: &str) -> Option<Vec<String>> {
    let Ok(path) = std::env::var("TEST_BLNS") else {
        eprintln!("SKIPPED browser, {test}: TEST_BLNS names no blns.json");
        return None;
    };
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("TEST_BLNS, {path}: {e}"));
    let strings: Vec<String> = serde_json::from_str(&text).unwrap_or_else(|e| panic!("TEST_BLNS, {path}: {e}"));
    assert!(strings.len() > 400, "{path} has only {} strings", strings.len());
    Some(strings)
}
