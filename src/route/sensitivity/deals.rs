//! Business before it is public, told by its figures and dates rather than by a word for secrecy.

use super::rule::{Hit, Needs, Rule};

const UNTOLD: &str = "these are figures or plans of a business that is not public yet";

const fn deal(id: &'static str, cues: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule {
        id,
        family: "business",
        needs: Needs::Nothing,
        why: UNTOLD,
        cues,
        pattern,
        check: is_own,
    }
}

/// Business before it is public.
pub(super) const DEALS: &[Rule] = &[
    deal(
        "bid",
        &[
            "bid",
            "tender",
            "walk away",
            "low i can",
            "low we can",
            "our cost",
            "our floor",
            "/share",
            "premium",
        ],
        concat!(
            r"(?:\bif we (?:bid|offer|quote)[^\n]{0,40}\d|\b(?:our|we) (?:bid|will bid|plan to bid|tender)\b[^\n]{0,60}\d[^\n]*(?:due|deadline|sealed|competitor|will go in)|\bsealed bids?\b[^\n]{0,40}\bdue\b|\b(?:our|my) sealed (?:bid|tender|offer)\b",
            r"|\b(?:offer|bid) for (?-i:[A-Z])[^\n]{0,40}\d[\d.,]*[ ]?(?:/|per )share|\bhow low (?:i|we) can go\b|\b(?:our|my) (?:walk-?away|floor|reserve|bottom line|ceiling|maximum)[^\n]{0,24}\d)",
        ),
    ),
    deal(
        "takeover",
        &["hostile", "takeover", "take-over", "poison pill", "white knight"],
        r"(?:\b(?:we|our|us|the board)\b[^\n]{0,80}?\b(?:hostile (?:offer|bid|takeover|approach)|takeover (?:bid|offer|defen[cs]e|approach)|poison pill|white knight)\b|\b(?:hostile (?:offer|bid|takeover|approach)|takeover (?:bid|offer|defen[cs]e|approach)|poison pill|white knight)\b[^\n]{0,80}?\b(?:we|we've|our|us)\b)",
    ),
    deal(
        "real_cost",
        &[
            "actually pay",
            "really pay",
            "real cost",
            "true cost",
            "secret rebate",
            "secret discount",
            "hidden rebate",
            "actual cost",
        ],
        r"(?:\bwhat we (?:actually|really) pay\b|\bwe (?:actually|really) pay (?:only )?[$€£¥]?\d|\bour (?:real|true|actual) costs?\b[^\n]{0,24}\d|\b(?:secret|hidden|confidential) (?:rebate|discount|kickback)\b)",
    ),
    deal(
        "before_the_market",
        &[
            "before market",
            "leak plan",
            "before the half-year",
            "before the year-end",
            "before the quarter",
            "notice letters",
            "no notice yet",
            "term sheet",
            "board to approve",
            "don't know it",
            "doesn't know it",
        ],
        concat!(
            r"(?:\bannounce before (?:the )?market\b|\bleak plan\b|\bbefore the (?:half-year|year-end|quarter(?:ly)?|annual) (?:close|results|report)\b|\bnotice letters? (?:go|are|will)\b|\bno notice yet\b|\bterm sheet (?:agreed|signed)\b",
            r"|\bboard to approve\b|\b(?:are|is) (?:out|leaving|going|let go)[^\n]{0,20}\band (?:do(?:es)?n't|do(?:es)? not) know (?:it|yet)\b)",
        ),
    ),
    deal(
        "roadmap",
        &["q1", "q2", "q3", "q4", "bom", "undercut", "headcount"],
        r"(?:\bQ[1-4]:[^\n]*(?:\n[^\n]*){0,4}(?:\bBOM\b|\bundercut|\bkill the\b|\bno notice\b|\bsunset\b|\bpartner\b[^\n]*\d)|\bundercut (?-i:[A-Z])\w+|\bheadcount\b[^\n]*(?:\n[^\n]*){0,2}[-–]\d{1,2} ?%)",
    ),
    deal(
        "deal_ja",
        &[
            "開発名",
            "内示",
            "正式",
            "初公開",
            "指値",
            "粗利",
            "漏れない",
            "根回し",
            "据え置",
            "買収",
            "統合",
            "入札",
            "予定価格",
            "落札",
        ],
        concat!(
            r"(?:発表まで(?:は)?[^\n。]{0,6}(?:開発名|コードネーム|仮称|社内)|内示前|(?:正式に(?:は)?|公式に(?:は)?)[^\n。]{0,16}(?:発表|公表)(?:だけど|だが|予定|ですが|する(?:が|けど))|初公開[^\n。]{0,40}(?:開発|社内)|指値[ ]?[\d,]+|目標粗利",
            r"|(?:競合|ライバル|相手|他社)(?:に|へ)(?:は)?(?:漏れない|知られない)|(?:先に|事前に)[^\n。]{0,14}根回し|(?:当社|弊社|うち)の?(?:入札|応札)(?:価格|額|金額)[^\n]{0,12}\d|(?:入札|応札)(?:価格|額)[^\n]{0,16}\d[^\n]{0,60}(?:競合|他社|他者)|大口[^\n。]{0,16}だけ[^\n。]{0,10}\d)",
        ),
    ),
    deal(
        "own_case",
        &[
            "guilty",
            "prosecutor",
            "privileged",
            "tribunal",
            "we advise",
            "risk on costs",
            "one-sided",
            "n161",
            "our story",
        ],
        concat!(
            r"(?:\bplead(?:ing)? guilty on\b|\bprosecutor'?s offer\b|^\W{0,8}privileged\b[.:]|\b(?:employment )?tribunal (?:response|claim|hearing)\b[^\n]*\b(?:she|he|they|our|we) (?:says?|claims?|was|story|dismissed)\b",
            r"|\bwe advise (?:issuing|settling|appealing|accepting|not)\b|\brisk on costs\b|\b(?:nda|contract|agreement|lease)[^\n]{0,20}\bbetween us\b[^\n]{0,60}\b(?:one-sided|intend to disclose|refuse)\b)",
        ),
    ),
    deal(
        "own_case_ja",
        &[
            "リニエンシー",
            "社内調査",
            "外部弁護士",
            "顧問弁護士",
            "契約解除",
            "違約金",
            "当方",
            "和解",
            "示談",
        ],
        r"(?:リニエンシー[^\n。]{0,20}(?:申請|出す|検討)|(?:独禁法|不正|横領|品質)[^\n。]{0,10}社内調査|(?:外部|顧問)弁護士(?:は|の(?:意見|見解|助言))|契約解除[^\n]{0,80}当方|当方(?:の)?[^\n。]{0,24}(?:過失|落ち度|非が|譲れない|不利)|違約金の(?:放棄|減額)を?[^\n。]{0,10}(?:条件|交渉)|(?:和解|示談)(?:金|案|条件)[^\n。]{0,24}\d)",
    ),
];

/// Whether it is somebody's own, and no news, lesson or sample.
fn is_own(hit: &Hit<'_>) -> bool {
    const SIGNS: &[&str] = &[
        "news",
        "article",
        "press release",
        "reuters",
        "novel",
        "explain what",
        "what is",
        "textbook",
        "fiction",
        "already announced",
        "sample",
        "made up",
        "invented",
        "記事",
        "ニュース",
        "新聞",
        "報道",
        "とは",
        "架空",
        "小説",
        "発表した",
        "判例",
    ];
    let around = hit.around(300);
    !SIGNS.iter().any(|sign| around.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::super::rules::finds;
    use super::*;

    fn found(text: &str) -> bool {
        finds(DEALS, text)
    }

    #[test]
    fn plans_and_figures_of_ones_own_are_found() {
        for text in [
            "Compute the margin if we bid 1.37M on the tender.",
            "Project Larkspur: offer for Hollin at 14.20/share, board to approve in April",
            "Q1: offline sync\nQ2: kill the desktop app, no notice yet",
            "内示前です。一覧を文章に",
            "売価 19,800円(指値 18,900円)、目標粗利 24%",
            "外部弁護士の意見はこうです",
            "We expect a hostile offer from the Dutch group: white knight, poison pill",
            "Cost roll-up. What we actually pay: motor 11.42, housing 1.85",
        ] {
            assert!(found(text), "{text}");
        }
    }

    #[test]
    fn news_and_lessons_are_not() {
        for text in [
            "The article says the board is to approve the offer.",
            "入札とは何か説明して",
            "Q1: 10 tickets, Q2: 12 tickets; draw a chart",
            "Explain what is a poison pill and what we can learn from it.",
        ] {
            assert!(!found(text), "{text}");
        }
    }
}
