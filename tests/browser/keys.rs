//! Keys by their names: `Tab`, `Enter`, `a`, `Control+Enter`, `Shift+Tab`.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;

/// Presses all keys of a chord in order and lets go of them in the opposite one.
pub fn chord(names: &str) -> KeyActions {
    let keys: Vec<char> = if names == "+" { vec!['+'] } else { names.split('+').map(key).collect() };
    let down = keys.iter().map(|value| KeyAction::Down { value: *value });
    let up = keys.iter().rev().map(|value| KeyAction::Up { value: *value });
    down.chain(up).fold(KeyActions::new("keyboard".to_owned()), InputSource::then)
}

fn key(name: &str) -> char {
    let named = match name {
        "Tab" => Key::Tab,
        "Enter" => Key::Enter,
        "Escape" => Key::Escape,
        "Space" => Key::Space,
        "Shift" => Key::Shift,
        "Control" => Key::Control,
        "Alt" => Key::Alt,
        "Up" => Key::Up,
        "Down" => Key::Down,
        "Left" => Key::Left,
        "Right" => Key::Right,
        "Home" => Key::Home,
        "End" => Key::End,
        _ => {
            let mut letters = name.chars();
            return match (letters.next(), letters.next()) {
                (Some(letter), None) => letter,
                _ => panic!("no key is called {name:?}"),
            };
        }
    };
    char::from(named)
}
