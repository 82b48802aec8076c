//! A small drawing of who answers how much, for the documentation.
use super::contest::Side;
use std::fmt::Write;

/// Pixels.
const ROW: usize = 26;
const LABEL: usize = 130;
const SCALE: f64 = 400.0;
const WIDTH: usize = 620;
const TOP: usize = 34;

/// An SVG with a bar for each side, as long as its replies a second are to the first one's.
pub(super) fn bars(title: &str, sides: &[Side]) -> String {
    let rows: Vec<(&str, f64)> = sides
        .iter()
        .map(|side| (side.label.as_str(), side.rates().0))
        .collect();
    drawing(title, &rows)
}

fn drawing(title: &str, rows: &[(&str, f64)]) -> String {
    let height = TOP + ROW * rows.len() + 6;
    let whole = rows.first().map_or(1.0, |(_, first)| *first);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"8\" y=\"20\" font-weight=\"bold\">{title}</text>\n"
    );
    for (place, (label, value)) in rows.iter().enumerate() {
        let top = TOP + ROW * place;
        let (text, ratio) = (top + 14, value / whole);
        let colour = if label.starts_with("truechimer") {
            "#b5452c"
        } else {
            "#8a9aa9"
        };
        // A string takes whatever is written.
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{text}\">{label}</text>\
             <rect x=\"{LABEL}\" y=\"{top}\" width=\"{:.1}\" height=\"18\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{text}\">{ratio:.2}</text>",
            ratio * SCALE,
            LABEL as f64 + ratio * SCALE + 6.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::drawing;

    #[test]
    fn a_bar_each() {
        let svg = drawing("replies", &[("raw", 200.0), ("truechimer poll", 150.0)]);
        assert_eq!(svg.matches("height=\"18\"").count(), 2);
        assert!(svg.contains("width=\"300.0\"") && svg.contains(">0.75<"));
    }
}
