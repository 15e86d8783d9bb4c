//! Two kinds of drawings as SVG, both with logarithmic axes: bars beside each other, and curves.

use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
/// Left of what is drawn, for names and numbers.
const LEFT: f64 = 300.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 60.0;
const BAR: f64 = 13.0;

/// A group of bars for each name; a bar begins where the value is 1.
pub(crate) struct Bars<'a> {
    pub(crate) title: &'a str,
    /// Names and colours.
    pub(crate) series: Vec<(&'a str, &'a str)>,
    pub(crate) groups: Vec<(&'a str, Vec<Option<f64>>)>,
}

/// A value against a size, of each server.
pub(crate) struct Curve<'a> {
    pub(crate) title: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) lines: Vec<Line<'a>>,
}

pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A logarithmic axis: which values lie between which places.
struct Axis {
    least: f64,
    most: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// From the power of ten below all values to the one above.
    fn over(values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        let (least, most) = if most > 0.0 { (least, most) } else { (1.0, 1.0) };
        let least = 10_f64.powf(least.log10().floor());
        let most = 10_f64.powf(most.log10().ceil()).max(least * 10.0);
        Axis { least, most, start, end }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value.max(self.least) / self.least).log10() / (self.most / self.least).log10();
        self.start + part * (self.end - self.start)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        let count = (self.most / self.least).log10().round() as i32;
        (0..=count).map(|power| self.least * 10_f64.powi(power))
    }
}

impl Bars<'_> {
    pub(crate) fn draw(&self) -> String {
        let group = BAR * self.series.len() as f64 + 8.0;
        let bottom = TOP + group * self.groups.len() as f64;
        let values = self.groups.iter().flat_map(|(_, values)| values.iter().flatten().copied());
        let axis = Axis::over(values.chain([1.0]), LEFT, WIDTH - RIGHT);
        let mut drawing = Drawing::new(self.title, bottom + 30.0);
        for value in axis.powers() {
            let x = axis.place(value);
            drawing.line((x, TOP), (x, bottom));
            drawing.text((x, bottom + 18.0), "middle", &format!("{value}×"));
        }
        for (index, (name, values)) in self.groups.iter().enumerate() {
            let top = TOP + group * index as f64 + 4.0;
            drawing.text((LEFT - 8.0, top + BAR), "end", name);
            for (place, (value, (_, colour))) in values.iter().zip(&self.series).enumerate() {
                let Some(value) = value else { continue };
                let (one, end) = (axis.place(1.0), axis.place(*value));
                let y = top + BAR * place as f64;
                drawing.bar((one.min(end), y), (one - end).abs(), colour);
                drawing.text((one.max(end) + 4.0, y + 10.0), "start", &format!("{value:.2}"));
            }
        }
        drawing.legend(self.series.iter().copied());
        drawing.end()
    }
}

impl Curve<'_> {
    pub(crate) fn draw(&self) -> String {
        let (bottom, left) = (400.0, 90.0);
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let across = Axis::over(points().map(|(size, _)| size), left, WIDTH - RIGHT);
        let up = Axis::over(points().map(|(_, value)| value), bottom, TOP + 10.0);
        let title = format!("{}, {}", self.title, self.unit);
        let mut drawing = Drawing::new(&title, bottom + 40.0);
        for size in across.powers() {
            drawing.line((across.place(size), TOP), (across.place(size), bottom));
            drawing.text((across.place(size), bottom + 18.0), "middle", &size.to_string());
        }
        for value in up.powers() {
            drawing.line((left, up.place(value)), (WIDTH - RIGHT, up.place(value)));
            drawing.text((left - 8.0, up.place(value) + 4.0), "end", &value.to_string());
        }
        for line in &self.lines {
            let places =
                line.points.iter().map(|(size, value)| (across.place(*size), up.place(*value)));
            drawing.path(&places.collect::<Vec<_>>(), line.colour);
        }
        drawing.legend(self.lines.iter().map(|line| (line.name, line.colour)));
        drawing.end()
    }
}

/// What is drawn so far.
struct Drawing(String);

impl Drawing {
    fn new(title: &str, height: f64) -> Self {
        let mut drawing = Drawing(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        ));
        drawing.text((10.0, 20.0), "start", title);
        drawing
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // A string takes whatever is written to it.
        let _ = writeln!(self.0, "{element}");
    }

    fn text(&mut self, (x, y): (f64, f64), anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.add(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#d0d7de\"/>"
        ));
    }

    fn bar(&mut self, (x, y): (f64, f64), width: f64, colour: &str) {
        let height = BAR - 2.0;
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height}\" fill=\"{colour}\"/>"
        ));
    }

    fn path(&mut self, points: &[(f64, f64)], colour: &str) {
        let places: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        ));
        for (x, y) in points {
            self.add(format_args!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>"
            ));
        }
    }

    /// The names in their colours, under the title.
    fn legend<'a>(&mut self, names: impl Iterator<Item = (&'a str, &'a str)>) {
        for (index, (name, colour)) in names.enumerate() {
            let x = 10.0 + 130.0 * index as f64;
            self.bar((x, 32.0), 12.0, colour);
            self.text((x + 18.0, 42.0), "start", name);
        }
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>\n");
        self.0
    }
}
