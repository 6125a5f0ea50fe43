//! Whatever comes, a parser answers: the fuzz targets, with what proptest thinks of.

use crate::check;
use crate::targets::TARGETS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::Path;

#[test]
fn bytes_are_answered() {
    check(400, vec(any::<u8>(), 0..200), |bytes| {
        TARGETS.iter().for_each(|(_, run)| run(&bytes));
    });
}

#[test]
fn the_characters_that_count_are_answered_in_any_order() {
    check(
        600,
        r#"[()\[\]{},:;."'\\/?#%&=+@ \t\n0-9a-fA-Fnrtu\x00\x7f\u{e9}\u{1F511}<>*~_-]{0,120}"#,
        |text| {
            TARGETS.iter().for_each(|(_, run)| run(text.as_bytes()));
        },
    );
}

/// Two inputs of the corpus, the second spliced into the first.
#[derive(Clone, Debug)]
struct Splice {
    inputs: [Index; 2],
    cuts: [Index; 4],
}

fn splice() -> impl Strategy<Value = Splice> {
    (any::<[Index; 2]>(), any::<[Index; 4]>()).prop_map(|(inputs, cuts)| Splice { inputs, cuts })
}

impl Splice {
    fn of(&self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let [first, second] = self.inputs.map(|index| index.get(corpus).as_slice());
        let range = |bytes: &[u8], a: Index, b: Index| {
            let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
            (a.min(b), a.max(b))
        };
        let (from, to) = range(first, self.cuts[0], self.cuts[1]);
        let (start, end) = range(second, self.cuts[2], self.cuts[3]);
        [&first[..from], &second[start..end], &first[to..]].concat()
    }
}

#[test]
fn what_is_spliced_out_of_real_answers_is_answered() {
    for (target, run) in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        let mut paths: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        check(500, splice(), |splice| run(&splice.of(&corpus)));
    }
}
