//! `simulate { ... }`: the one block of the grammar, over several lines. It steers the reference's
//! simulator and no daemon, so it is passed over.

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Line, Word};

use super::Parser;

/// A block that is being passed over.
pub(super) struct OpenBlock {
    depth: u32,
    opened: bool,
    span: Span,
}

impl Parser<'_> {
    pub(super) fn simulate(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.block = Some(OpenBlock {
            depth: 0,
            opened: false,
            span: first.span.clone(),
        });
        self.pass_over(line);
    }

    /// Passes over the rest of a line, up to the end of the block.
    pub(super) fn pass_over(&mut self, line: &mut Line<'_>) {
        while let Some(block) = &mut self.block {
            let Some(word) = line.token() else { return };
            match &*word.text {
                "{" if !word.quoted => {
                    block.depth = block.depth.saturating_add(1);
                    block.opened = true;
                }
                "}" if !word.quoted => block.depth = block.depth.saturating_sub(1),
                _ => {}
            }
            if block.opened && block.depth == 0 {
                self.block = None;
                self.no_more(line, &word);
            }
        }
    }

    /// A block must end in the file it begins in: lines after it would be lost in it.
    pub(super) fn close_block(&mut self) {
        if let Some(block) = self.block.take() {
            let message = "this block is not closed; not starting, for the lines after it may be \
                           access rules";
            self.report.push(
                Diagnostic::new(codes::OPEN_BLOCK, block.span, message)
                    .label("its `}` is missing")
                    .guarding(),
            );
        }
    }
}
