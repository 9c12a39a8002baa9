//! Invented names, each given once.

use rustc_hash::FxHashSet;

use super::Random;

const SYLLABLES: [&str; 72] = [
    "东", "西", "南", "北", "中", "上", "下", "前", "后", "大", "小", "新", "古", "金", "银", "玉", "石", "山", "河",
    "江", "海", "湖", "泉", "溪", "林", "松", "柏", "柳", "桃", "李", "梅", "兰", "竹", "菊", "云", "龙", "凤", "虎",
    "鹤", "福", "禄", "寿", "喜", "安", "宁", "康", "泰", "和", "平", "永", "兴", "昌", "盛", "文", "武", "仁", "义",
    "礼", "智", "信", "德", "善", "美", "清", "明", "光", "华", "春", "秋", "星", "月", "湾",
];
const SURNAMES: [&str; 24] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "郑", "谢",
];

/// A source of names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    random: Random,
    used: FxHashSet<String>,
}

impl Names {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::of(seed, "names"), used: FxHashSet::default() }
    }

    /// A name of a place, ending in `suffix`, that no other place has.
    pub(super) fn place(&mut self, suffix: &str) -> String {
        let mut syllables = 2;
        loop {
            // Every refusal makes the next attempt a little more likely to be longer.
            if self.random.chance(0.1) {
                syllables += 1;
            }
            let mut name: String = (0..syllables).map(|_| self.random.pick(&SYLLABLES)).collect();
            name.push_str(suffix);
            if self.used.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// A name of a person; many may have it.
pub(super) fn person(random: &mut Random) -> String {
    let mut name = String::from(random.pick(&SURNAMES));
    for _ in 0..1 + random.below(2) {
        name.push_str(random.pick(&SYLLABLES[9..]));
    }
    name
}
