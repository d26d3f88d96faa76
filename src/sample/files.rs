//! Which files a sample has, in which order.
//!
//! Duty: the list of files, and the dirt that is a whole file. Not its duty: rows.

use std::io::{self, Write as _};

use super::calendar::{FULL_QUARTERS, QUARTERS, Quarter};
use super::dialect::Dialect;
use super::dirt::plants_of;
use super::feeds::{APAC_INSPECTIONS, EMEA_SALES, header};
use super::partners::Region;
use super::table::{Carried, Frame, TableFile};
use super::world::World;
use super::{Planted, SampleOptions, SampleSink, SampleSummary, State};
use super::{deliveries, events, finance, learning, parts, reference, sales};

/// Writes the rows of one file that covers the whole programme.
type Central = fn(&World, &mut TableFile<'_>) -> io::Result<()>;
/// Writes the rows of one region and quarter.
type Regional = fn(&World, Region, &Quarter, &mut TableFile<'_>) -> io::Result<()>;

const REFERENCE: [(&str, Central); 9] = [
    ("domains", reference::write_domains),
    ("partners", reference::write_partners),
    ("contacts", reference::write_contacts),
    ("certifications", reference::write_certifications),
    ("engineers", reference::write_engineers),
    ("products", reference::write_products),
    ("holidays", reference::write_holidays),
    ("fx_rates", reference::write_rates),
    ("targets", reference::write_targets),
];

const FACTS: [(&str, Regional); 8] = [
    ("deliveries", deliveries::write_deliveries),
    ("surveys", deliveries::write_surveys),
    ("inspections", deliveries::write_inspections),
    ("spare_parts", parts::write_parts),
    ("key_events", events::write_events),
    ("enablement", learning::write_enablement),
    ("support", learning::write_support),
    ("sales", sales::write_sales),
];

const FINANCE: [(&str, Central); 4] = [
    ("payments", sales::write_payments),
    ("claims", finance::write_claims),
    ("manual_adjustments", finance::write_adjustments),
    ("decisions", events::write_decisions),
];

/// Writes a whole sample into a sink, in this order: reference data, each region quarter by quarter, finance, planted
/// files, `PLANTED.csv`.
///
/// # Errors
/// Those of the sink, unchanged; what was written before stays written.
pub fn generate(options: &SampleOptions, sink: &mut dyn SampleSink) -> io::Result<SampleSummary> {
    let world = World::new(options);
    let mut job = Job {
        dirt: options.dirt,
        sink,
        carried: Carried::default(),
        summary: SampleSummary::default(),
    };
    for (feed, write) in REFERENCE {
        job.table(strict("reference", feed), |file| write(&world, file))?;
    }
    for region in Region::ALL {
        for quarter in &QUARTERS {
            // of early October there are only returns
            let known = FACTS
                .iter()
                .filter(|(feed, _)| usize::from(quarter.index) < FULL_QUARTERS || *feed == "sales");
            for (feed, write) in known {
                job.table(regional(region, feed, quarter.label), |file| {
                    write(&world, region, quarter, file)
                })?;
            }
        }
    }
    for (feed, write) in FINANCE {
        job.table(strict("finance", feed), |file| write(&world, file))?;
    }
    if options.dirt {
        job.planted_files(&world)?;
    }
    job.list_planted()?;
    Ok(job.summary)
}

struct Job<'a> {
    dirt: bool,
    sink: &'a mut dyn SampleSink,
    carried: Carried,
    summary: SampleSummary,
}

impl Job<'_> {
    fn table(&mut self, frame: Frame, write: impl FnOnce(&mut TableFile<'_>) -> io::Result<()>) -> io::Result<()> {
        let plants = if self.dirt { plants_of(&frame.name) } else { Vec::new() };
        let out = self.sink.file(&frame.name)?;
        let mut file = TableFile::open(out, frame, plants, &mut self.carried, &mut self.summary.planted)?;
        write(&mut file)?;
        let summary = file.close()?;
        self.summary.files.push(summary);
        Ok(())
    }

    /// Dirt that is a whole file.
    fn planted_files(&mut self, world: &World) -> io::Result<()> {
        let second = &QUARTERS[2];
        let again = Frame {
            name: "emea/enablement-2026-Q2_again.csv".to_owned(),
            ..regional(Region::Emea, "enablement", "")
        };
        self.note(&again.name, "file delivered twice", State::Duplicate);
        self.table(again, |file| {
            learning::write_enablement(world, Region::Emea, second, file)
        })?;

        let only_header = regional(Region::Emea, "inspections", "2026-Q4");
        self.note(&only_header.name, "file with a header only", State::Current);
        self.table(only_header, |_| Ok(()))?;

        let empty = "latam/support-2026-Q4.csv";
        self.note(empty, "file of no bytes", State::SetAside);
        self.sink.file(empty)?.flush()?;
        self.summary.files.push(super::FileSummary {
            name: empty.to_owned(),
            feed: "support",
            rows: 0,
            bytes: 0,
        });

        // twelve parts of a file that was damaged on its way: every third has a date that cannot be
        let damaged = regional(Region::Latam, "spare_parts", "2026-Q4");
        self.note(&damaged.name, "file with too many bad rows", State::SetAside);
        let partner = world.of_region(Region::Latam).nth(1);
        self.table(damaged, |file| {
            (0..12)
                .zip(partner.into_iter().cycle())
                .try_for_each(|(k, partner)| parts::write_part_under(world, partner, second, k, "RX", k % 3 == 0, file))
        })
    }

    fn note(&mut self, file: &str, kind: &'static str, expected: State) {
        self.summary.planted.push(Planted {
            file: file.to_owned(),
            line: 0,
            kind,
            expected,
        });
    }

    fn list_planted(&mut self) -> io::Result<()> {
        let mut out = self.sink.file("PLANTED.csv")?;
        out.write_all(b"file,line,kind,expected\n")?;
        for Planted {
            file,
            line,
            kind,
            expected,
        } in &self.summary.planted
        {
            writeln!(out, "{file},{line},{kind},{expected}")?;
        }
        out.flush()
    }
}

fn strict(folder: &str, feed: &'static str) -> Frame {
    Frame {
        name: format!("{folder}/{feed}.csv"),
        feed,
        dialect: Dialect::Strict,
        header: header(feed),
        renamed: &[],
        preamble: &[],
        totals: false,
    }
}

fn regional(region: Region, feed: &'static str, quarter: &str) -> Frame {
    let dialect = Dialect::of(region, feed);
    let extension = if dialect.is_json() { "jsonl" } else { "csv" };
    Frame {
        name: format!("{}/{feed}-{quarter}.{extension}", region.name()),
        feed,
        dialect,
        header: header(feed),
        renamed: if region == Region::Emea && feed == "sales" {
            EMEA_SALES
        } else {
            &[]
        },
        preamble: if region == Region::Apac && feed == "inspections" {
            APAC_INSPECTIONS
        } else {
            &[]
        },
        totals: region == Region::Latam && feed == "sales",
    }
}
