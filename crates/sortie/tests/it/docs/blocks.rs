//! What a page of documentation has of commands and settings.

/// A block between fences, or code within a line.
#[derive(Debug)]
pub(super) struct Code {
    /// The line of the page it is on, from 1.
    pub(super) line: usize,
    /// What stands after the opening fence: the language, then marks for this test. Empty within a line.
    pub(super) info: Vec<String>,
    pub(super) text: String,
}

/// All of a page, in order.
pub(super) fn of_page(page: &str) -> Vec<Code> {
    let mut all: Vec<Code> = Vec::new();
    let mut in_block = false;
    for (index, line) in page.lines().enumerate() {
        let number = index + 1;
        match (line.trim_start().strip_prefix("```"), in_block) {
            (Some(info), false) => {
                let info = info.split_whitespace().map(str::to_owned).collect();
                all.push(Code { line: number, info, text: String::new() });
                in_block = true;
            }
            (Some(_), true) => in_block = false,
            (None, true) => {
                if let Some(block) = all.last_mut() {
                    block.text.push_str(line);
                    block.text.push('\n');
                }
            }
            (None, false) => all.extend(within(line).map(|text| Code {
                line: number,
                info: Vec::new(),
                text: text.to_owned(),
            })),
        }
    }
    assert!(!in_block, "a block is not closed");
    all
}

/// The code within a line, between backticks.
fn within(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

impl Code {
    pub(super) fn is(&self, mark: &str) -> bool {
        self.info.iter().any(|word| word == mark)
    }

    /// The lines that are commands of cargo, and those that are not.
    pub(super) fn cargo_apart(&self) -> (Vec<&str>, String) {
        let (cargo, other): (Vec<_>, Vec<_>) =
            self.text.lines().partition(|line| line.trim_start().starts_with("cargo "));
        (cargo, other.join("\n"))
    }
}
