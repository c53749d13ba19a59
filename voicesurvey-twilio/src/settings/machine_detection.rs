//! Whether and how Twilio tells machines from people, before or while we speak.

use std::time::Duration;

use super::WrongSetting;

/// Whether machines are told from people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MachineDetection {
    /// They are not.
    #[default]
    Off,
    /// Before anything is said: a person hears some seconds of silence first.
    Sync(Detection),
    /// While we speak already: the verdict comes later, or never.
    Async(Detection),
}

/// How machines are detected. `None` leaves a figure to Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// How long it is listened.
    pub until: ListenUntil,
    /// When detection is given up: 3 to 59 whole seconds.
    pub timeout: Option<Duration>,
    /// Who speaks for longer is a machine: 1 to 6 seconds. People at home greet shortly, businesses
    /// at length.
    pub speech_threshold: Option<Duration>,
    /// The silence that ends a greeting: half a second to 5 seconds.
    pub speech_end_threshold: Option<Duration>,
    /// The silence at the beginning after which nothing is known: 2 to 10 seconds.
    pub silence_timeout: Option<Duration>,
}

/// How long a machine is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListenUntil {
    /// Until it is known what answered.
    #[default]
    Known,
    /// Until its greeting has ended, so that a message can be left.
    GreetingEnds,
}

impl Default for Detection {
    fn default() -> Self {
        Self {
            until: ListenUntil::Known,
            timeout: None,
            speech_threshold: None,
            speech_end_threshold: None,
            silence_timeout: None,
        }
    }
}

/// One figure: our name, Twilio's name, milliseconds per unit, and the range in milliseconds.
struct Figure {
    setting: &'static str,
    parameter: &'static str,
    unit: u128,
    range: std::ops::RangeInclusive<u128>,
}

const TIMEOUT: Figure = Figure {
    setting: "machine_detection.timeout",
    parameter: "MachineDetectionTimeout",
    unit: 1_000,
    range: 3_000..=59_000,
};
const SPEECH: Figure = Figure {
    setting: "machine_detection.speech_threshold",
    parameter: "MachineDetectionSpeechThreshold",
    unit: 1,
    range: 1_000..=6_000,
};
const SPEECH_END: Figure = Figure {
    setting: "machine_detection.speech_end_threshold",
    parameter: "MachineDetectionSpeechEndThreshold",
    unit: 1,
    range: 500..=5_000,
};
const SILENCE: Figure = Figure {
    setting: "machine_detection.silence_timeout",
    parameter: "MachineDetectionSilenceTimeout",
    unit: 1,
    range: 2_000..=10_000,
};

impl Detection {
    fn figures(&self) -> impl Iterator<Item = (Figure, Duration)> {
        [
            (TIMEOUT, self.timeout),
            (SPEECH, self.speech_threshold),
            (SPEECH_END, self.speech_end_threshold),
            (SILENCE, self.silence_timeout),
        ]
        .into_iter()
        .filter_map(|(figure, duration)| Some((figure, duration?)))
    }
}

impl Figure {
    fn wrong(&self, duration: Duration) -> Option<WrongSetting> {
        let is_whole = duration.subsec_nanos().is_multiple_of(1_000_000);
        let milliseconds = duration.as_millis();
        if is_whole && milliseconds.is_multiple_of(self.unit) && self.range.contains(&milliseconds)
        {
            return None;
        }
        let unit = if self.unit == 1 {
            "milliseconds"
        } else {
            "seconds"
        };
        let (least, most) = (self.range.start() / self.unit, self.range.end() / self.unit);
        Some(WrongSetting {
            setting: self.setting,
            what: format!("{least} to {most} whole {unit}"),
        })
    }
}

impl MachineDetection {
    pub(crate) const fn detection(&self) -> Option<&Detection> {
        match self {
            Self::Off => None,
            Self::Sync(detection) | Self::Async(detection) => Some(detection),
        }
    }

    /// Every figure that Twilio would refuse.
    pub fn wrong(&self) -> Vec<WrongSetting> {
        let figures = self.detection().into_iter().flat_map(Detection::figures);
        figures
            .filter_map(|(figure, duration)| figure.wrong(duration))
            .collect()
    }

    /// Whether the verdict comes by a webhook of its own.
    pub(crate) const fn is_async(&self) -> bool {
        matches!(self, Self::Async(_))
    }

    /// What Twilio is told, without the URL that an asynchronous verdict needs.
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        let Some(detection) = self.detection() else {
            return Vec::new();
        };
        let until = match detection.until {
            ListenUntil::Known => "Enable",
            ListenUntil::GreetingEnds => "DetectMessageEnd",
        };
        let mut parameters = vec![("MachineDetection", until.to_owned())];
        parameters.extend(detection.figures().map(|(figure, duration)| {
            let number = duration.as_millis() / figure.unit;
            (figure.parameter, number.to_string())
        }));
        if self.is_async() {
            parameters.push(("AsyncAmd", "true".to_owned()));
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set = fn(&mut Detection, Option<Duration>);

    fn with(change: impl FnOnce(&mut Detection)) -> MachineDetection {
        let mut detection = Detection::default();
        change(&mut detection);
        MachineDetection::Sync(detection)
    }

    #[test]
    fn figures_outside_of_twilios_ranges_are_named() {
        let milliseconds = |figure| Some(Duration::from_millis(figure));
        let cases: [(Set, &str, [u64; 2]); 4] = [
            (
                |it, value| it.timeout = value,
                "timeout: 3 to 59 whole seconds",
                [3_000, 59_000],
            ),
            (
                |it, value| it.speech_threshold = value,
                "speech_threshold: 1000 to 6000 whole milliseconds",
                [1_000, 6_000],
            ),
            (
                |it, value| it.speech_end_threshold = value,
                "speech_end_threshold: 500 to 5000 whole milliseconds",
                [500, 5_000],
            ),
            (
                |it, value| it.silence_timeout = value,
                "silence_timeout: 2000 to 10000 whole milliseconds",
                [2_000, 10_000],
            ),
        ];
        for (set, told, [least, most]) in cases {
            for (value, is_right) in [
                (least, true),
                (most, true),
                (least - 1, false),
                (most + 1, false),
            ] {
                let wrong = with(|it| set(it, milliseconds(value))).wrong();
                assert_eq!(wrong.is_empty(), is_right, "{told} {value}");
                let shown = wrong.iter().map(ToString::to_string);
                assert!(
                    shown
                        .into_iter()
                        .all(|it| it == format!("machine_detection.{told}"))
                );
            }
        }
        assert_eq!(with(|it| it.timeout = milliseconds(3_500)).wrong().len(), 1);
        let micros = Some(Duration::from_micros(2_000_500));
        assert_eq!(with(|it| it.silence_timeout = micros).wrong().len(), 1);
    }

    #[test]
    fn twilio_is_told_seconds_and_milliseconds_each_in_its_place() {
        assert!(MachineDetection::Off.parameters().is_empty());
        let simple = MachineDetection::Sync(Detection::default());
        assert_eq!(
            simple.parameters(),
            [("MachineDetection", "Enable".to_owned())]
        );
        let tuned = Detection {
            until: ListenUntil::GreetingEnds,
            timeout: Some(Duration::from_secs(20)),
            speech_threshold: Some(Duration::from_millis(1_900)),
            speech_end_threshold: Some(Duration::from_millis(1_400)),
            silence_timeout: Some(Duration::from_secs(4)),
        };
        let told = MachineDetection::Async(tuned).parameters();
        let told: Vec<String> = told
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            told,
            [
                "MachineDetection=DetectMessageEnd",
                "MachineDetectionTimeout=20",
                "MachineDetectionSpeechThreshold=1900",
                "MachineDetectionSpeechEndThreshold=1400",
                "MachineDetectionSilenceTimeout=4000",
                "AsyncAmd=true",
            ]
        );
    }
}
