//! Persons who are named in a text, and those who are only somebody's.
//!
//! A first and a last name, a form of address or a role before a name make a person;
//! a lone family or given name and "my wife" are weaker signs, which only count beside
//! what nobody tells of strangers.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::expression::compile;
use super::word_list::WordList;

/// The most persons that are looked at in one stretch.
const MOST: usize = 48;

/// How surely somebody is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// "my wife", 妻: nobody that a stranger could find.
    Relation,
    /// A given name or a family name alone.
    Part,
    /// A whole name, or one with a form of address or a role.
    Named,
}

/// A person in a text.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// Where the name stands.
    pub(super) at: Range<usize>,
    /// How surely it is one.
    pub(super) sure: Sure,
}

/// Family names of Japan that most people have, and those who write examples use.
const SURNAMES: &str = concat!(
    "佐藤|鈴木|高橋|田中|伊藤|渡辺|渡邊|渡部|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|斎藤|斉藤|齋藤|齊藤|清水|山崎|",
    "池田|橋本|阿部|安部|石川|山下|中島|石井|小川|前田|岡田|長谷川|藤田|後藤|近藤|村上|遠藤|青木|坂本|福田|太田|西村|藤井|金子|岡本|",
    "藤原|中野|三浦|原田|中川|松田|竹内|小野寺|小野|田村|中山|和田|石田|上田|森田|小島|柴田|酒井|工藤|横山|宮崎|宮本|内田|高木|安藤|",
    "島田|谷口|大野|丸山|今井|高田|藤本|武田|村田|上野|杉山|増田|平野|大塚|千葉|久保田|久保|松井|小山|岩崎|桜井|櫻井|木下|野口|松尾|",
    "野村|菊地|菊池|佐野|大西|杉本|新井|荒井|浜田|市川|古川|水野|小松|荒木|石原|矢野|片山|川口|川崎|本田|岩田|服部|飯田|広瀬|吉川|",
    "関口|五十嵐|樋口|永井|星野|黒田|大島|西田|内藤|福島|永田|岡崎|熊谷|松岡|大久保|土屋|森本|平田|小池|須藤|川上|秋山|山内|田辺|",
    "桑原|早川|中西|栗原|三宅|奥村|西川|榎本|相沢|白石|望月|松村|小倉|浅野|北村|河野|結城|神田|高野|相原|菅原|村瀬|川辺|倉持|秦野|",
    "早瀬|大橋|真田|柳沢|柳澤|古賀|須田|辻本|江口|成瀬|森川|津田|能勢|佐久間|大和田|辰巳|今村|柏木|平井|児玉|大川|吉村|川村|西山|",
    "宮田|岩本|片岡|本間|小田|荒川|尾崎|松浦|大石|松永|馬場|田口|小沢|小澤|北川|菅野|稲垣|大森|杉田|篠原|長尾|水谷|広田|沢田|澤田|",
    "沖田|桐谷|速水|朝倉|二宮|三上|八木|堀内|松下|落合|野田|岩井|植田|戸田|久野|金井|長田|中田|上村|高山|山中|安田|横田|石橋|中井|",
    "大谷|小西|福井|川田|吉岡|永野|浅井|根本|宮川|岡村|村井|村山|大山|米田|黒川|筒井|天野|小泉|町田|堀田|坂田|坂口|三好|植木|向井|",
    "西尾|西岡|若林|岡部|茂木|笠原|石塚|倉田|富田|富永|寺田|寺島|河合|川合|河村|河原|梅田|梅原|三木|三田|今野|伊東|飯島|飯塚|瀬川|",
    "瀬戸|滝沢|滝川|日高|深沢|深澤|松崎|松原|宮下|宮沢|宮澤|宮原|宮城|森下|森山|森岡|森谷|八田|安井|安達|足立|矢島|矢部|山岸|山根|",
    "山村|横井|吉野|吉原|米山|渡瀬|相馬|青山|秋元|浅見|東野|有田|飯野|石黒|石野|泉谷|磯部|市原|稲田|稲葉|井口|井出|岩瀬|岩永|宇野|",
    "江藤|遠山|大木|大井|大竹|大槻|大場|大原|大平|岡野|小笠原|奥田|奥山|尾形|鬼塚|甲斐|梶原|柿沼|勝又|門脇|金田|鎌田|神谷|亀井|川島|",
    "川瀬|川原|菊田|北野|木内|木原|国分|窪田|倉本|桑田|小出|小坂|小島|小原|榊原|坂井|坂下|佐伯|桜庭|笹川|佐竹|里見|塩田|志村|島崎|",
    "下田|庄司|城田|新谷|新田|杉浦|杉村|瀬尾|高井|高岡|高島|高瀬|高津|高畑|高松|田島|田代|田原|立花|辻井|土田|坪井|手塚|徳永|富岡|",
    "豊田|鳥居|内山|中尾|中沢|中澤|中谷|永山|名取|生田|西野|西原|西本|二階堂|沼田|橋爪|畠山|花田|羽田|浜口|林田|原口|東山|久田|平山|",
    "平川|深田|福永|福本|藤岡|藤川|藤沢|藤村|古田|本多|本城|前川|牧野|正木|増井|町井|丸尾|三谷|三井|三沢|水島|溝口|皆川|南野|峯岸|",
    "宮内|村木|目黒|桃井|諸岡|矢口|柳田|柳原|湯浅|湯川|与田|依田|若松|鷲尾|綿貫|桐生|藤堂|雨宮|御手洗|東海林|阿久津|宇都宮|勅使河原|杉野|白川|黒木|青柳|今泉|北見|石渡|堀越|関根|稲森|片桐|矢沢|小出|戸塚|大友|小柳|野中|新庄|植村|本橋|上条|佐原|土井|今西|黒岩|真壁|日野|羽鳥|有村|石垣|三枝|遠藤|板倉|佐竹|森永|沢井|柏原|村越|大内|大江|大倉|大坪|大庭|大畑|小椋|小関|小森|小室|小谷|小寺|荻野|荻原|萩原|加賀|影山|笠井|梶|柏|春日|勝田|加納|嘉納|川合|川越|川畑|川端|木内|岸本|北原|木戸|木本|久米|倉持|黒沢|黒澤|桑山|神崎|神山|古川|古谷|小松原|駒井|近江|坂井田|酒巻|桜田|佐川|佐久|迫田|佐山|沢村|塩谷|塩見|重松|芝田|渋谷|島本|清野|下村|白井|白木|末永|菅沼|杉原|鈴村|住吉|関谷|瀬戸口|仙石|曽根|高見|高梨|高柳|高倉|滝口|竹下|竹本|竹村|武井|武藤|多田|立石|田所|田畑|田丸|田宮|千田|塚本|塚田|津村|寺本|土井田|戸川|徳田|豊島|鳥山|内海|永岡|中込|中条|中塚|中根|中原|中町|中本|長島|長沼|名倉|南雲|成田|難波|西口|西沢|西山|丹羽|根岸|野上|野崎|野沢|野島|野原|長谷|畑中|服部|浜野|林原|東田|樋川|平林|平松|平野|広川|深谷|福原|福山|藤木|藤代|藤野|藤巻|古沢|古橋|細川|細谷|堀口|堀江|本庄|前島|前原|牧田|町田|松木|松川|松下|松坂|松山|丸川|三島|水口|水沢|光永|南田|宮地|宮野|宮部|武者|村岡|村川|村瀬|村松|室井|毛利|元木|森川|森崎|森脇|門田|八代|安永|谷川|谷本|矢吹|山名|山科|山川|山形|山際|山元|横尾|横川|吉井|吉沢|吉永|吉本|渡会|和泉|岩下|岩間|岩村|岩田|石丸|石倉|石崎|石山|伊沢|伊原|池上|池内|池野|市村|猪俣|今川|今野|植松|上原|上山|内野|梅津|浦野|榎|江川|尾上|仲村渠|比嘉|金城|宮城|島袋|新垣|玉城|知念|具志堅|喜屋武|水原|氷川|霧島|月岡|花岡|柊|楠木|楠|樋渡|久我|久世|九条|一条|西園寺|白鳥|朝比奈",
);

/// Family names that are one letter long and a word of their own.
const SHORT_SURNAMES: &str = "林|森|原|東|辻|関|岸|堤|堀|牧|南|岡|平|星|谷|滝|泉|西|北|島|浜|柳|梶|菅|榊|桂|旭|畑|乾|柴|金|李|王|張|陳|劉|朴|崔|蔡|鄭|呉";

/// What people are to the one who writes of them.
const ROLES: &str = concat!(
    "相談者|通報者|申立人|被申立人|申請者|申込者|申込人|被保険者|契約者|受取人|保証人|依頼者|依頼人|相談員|利用者|入居者|入所者|患者|受検者|被験者|",
    "受診者|受験者|受講者|来訪者|来談者|応募者|候補者|面接者|内定者|退職者|休職者|対象者|加害者|被害者|容疑者|被疑者|被告|原告|目撃者|遺族|相続人|",
    "被相続人|債務者|債権者|滞納者|会員|顧客|お客|購入者|注文者|寄付者|児童|生徒|園児|学生|保護者|担任|社員|従業員|部下|上司|同僚|後任|前任|",
    "担当|送り先|届け先|お届け先|宛先|宛名|差出人|氏名|名前|名義|名義人|世帯主|相手|本人|当人|友人|知人|隣人|大家|店子|借主|貸主|妻|夫|母|父|兄|弟|姉|妹|息子|娘|",
    "長男|長女|次男|次女|三男|孫|祖母|祖父|叔父|叔母|義母|義父|彼女|彼氏|元妻|元夫|元カノ|元カレ|婚約者|部長|課長|係長|主任|専務|常務|取締役|社長|院長|店長|支店長|工場長|教授|先生|医師|",
    "対象に|対象は|対象|社員番号|カルテ番号|被介護者|里親|里子|参加者|出席者|解雇|退職|昇格|異動",
);

/// Given names that are no other word, of many places.
static GIVEN: WordList = WordList::new(
    "aaron abdul abigail adam adele ahmed aisha alan albert alex alice alicia alison amanda amara amir amy ana andrea andrew andy angela anita anjali ann anna anne annie anthony \
    antonio arjun arthur ayesha barbara beatrice becky ben benjamin bernard beth betty bjorn bob brenda brian bruno carl carla carlos carmen carol caroline catherine cecilia charlotte \
    chloe chris christina christine christopher claire clara colin connor craig cynthia dan daniel danielle daphne dave david deborah deirdre denise dennis derek diana diane diego dmitri \
    dominic donna doris dorothy doug duncan dylan eddie edith edward eileen elena eleanor eli elizabeth ella ellen elliot emily emma eric erika ethan eva evan fatima felix fergus fiona \
    fran francesca francis frank fred gareth gary gavin geoff george gerald gina giulia gordon graham greg gwen hamza hannah hans harriet harry hassan hazel heather helen henry holly \
    hugo ian ibrahim imran ines ingrid irene isaac isabel isabella ivan jack jackie jacob jake james jamie jan jane janet janice jason javier jean jeff jen jenna jennifer jenny jeremy jess \
    jessica jill jim jimmy joan joanna joe joel johan john jon jonathan jorge jose joseph josh joshua joyce juan judith judy julia julian julie june karen karim kate katherine kathy katie \
    keith kelly ken kenneth kenji kerry kevin khalid kim kirsty kurt lars latoya laura lauren leah lena leo leon leroy leslie liam lillian linda lisa liz lorna lou louis louise lucas lucia \
    lucy luis luke lydia maggie malcolm marco margaret maria marie marion marta martha martin mary matteo matt matthew maureen megan mei mia michael michelle miguel mike mohamed mohammed \
    moira molly monica muhammad nadia nancy naomi natalie natasha nathan neil niamh nick nicola nicole nigel nina noah nora norman olga oliver olivia omar otto owen pamela patricia patrick \
    paul paula pedro peggy peter phil philip pilar priya rachel raj rajesh ralph ravi ray rebecca renee ricardo richard rob robert roberto robin roger ron ronnie rosa rosie ross rowan ruth \
    ryan sally sam samantha samir samuel sandra sanjay sara sarah sean sergei shannon sharon shaun sheila shirley simon sofia sophia sophie stacy stefan stella stephanie stephen steve steven \
    stuart susan suzanne svetlana sven tamara tania tara ted teresa tess theo theresa thomas tim timothy tina toby tom tommy tony tracy trevor ursula valerie vanessa vera veronica victoria \
    vikram viktor vincent vivian walter wanda wei wendy william henrik marta ola petra tariq jayden colm sandeep lise morten ida kwame amina yuna jin wei ling mei hiro sanjiv deepak anil sunita pooja rohan neha kavita ravinder gurpreet farah leila layla zainab hussein mustafa bilal tomas jakub piotr ewa agnieszka katarzyna magda pavel jana milan dragan ivana goran marko luka ana joao rafael thiago camila valentina mateo santiago alejandro guillermo rocio pablo lucie chloe manon theo camille margaux amelie celine thierry didier olivier jurgen dieter heike uwe sabine birgit torsten annika freya astrid linnea elin karin lukas jonas felipe beatriz oksana olena dmytro natalia yulia alexei boris mikhail tatiana siobhan aoife ciara sinead declan padraig rhys gethin carys angus hamish morag cody amelia reza shreya aditya kiran xavier yasmin yolanda yuki yusuf yvonne zach zara zoe",
);

/// Capitalised words that begin no person's name: places, firms, products, headings.
static NO_NAMES: WordList = WordList::new(
    "the this that these those our your their new north south east west san los las saint united great hong tel social national general \
    public private data privacy credit human customer patient employee health medical insurance security google apple microsoft amazon open visual docker red \
    java type node next react spring ruby city street road avenue lane bank hospital university college school institute company inc ltd corp group team department \
    station park hotel island river lake county state president prime minister supreme court white house wall times post star games world cup war january february \
    march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday act please write draft summarise summarize \
    dear hello hi best kind regards all any if in on at for from how what when where why who review translate explain make add fix update create read check turn sort \
    and or but not with without is are was were will can do does did let use using sample example test demo lorem ipsum form list table report plan policy guide overview summary \
    introduction chapter section part step note notes version release project product service system server client user admin account payment order invoice shipping billing \
    type stage grade year class unit level phase visual studio code google maps drive docs sheets office word excel power point home assistant raspberry pi machine learning deep neural \
    net core web sql http rest api json xml yaml html css python javascript typescript rust swift kotlin linux windows mac ubuntu debian android chrome firefox safari slack zoom teams \
    first second third last big small black blue green gold silver merry happy good thank thanks mothers fathers valentines halloween christmas easter convert calculate classify compare \
    british american french german italian spanish japanese chinese korean english european african asian indian russian old middle high low roman greek saxon royal academy library museum \
    church cathedral castle bridge tower square market garden gardens theatre theater club league football basketball rights action committee council works board fund trust foundation \
    rule rules law section article clause day week month sick leave proof theorem method equation distribution test regression sort search tree graph key value pair title description \
    unicode standard document minimum supported rust-version apache mit bsd gnu gpl changelog readme",
);

/// Persons whom everybody knows.
static FAMOUS: WordList = WordList::new(
    "einstein newton curie darwin lovelace turing hopper shakespeare austen dickens orwell tolkien hamlet macbeth romeo juliet ophelia holmes watson potter gandalf frodo napoleon caesar \
    cleopatra lincoln washington jefferson roosevelt churchill thatcher kennedy obama trump biden clinton putin macron merkel gandhi mandela king luther beethoven mozart bach chopin vivaldi picasso \
    monet gogh rembrandt vinci galileo kepler tesla edison bell nobel freud jung nietzsche kant plato socrates aristotle marx keynes musk bezos gates jobs zuckerberg torvalds knuth dijkstra \
    ritchie swift beyonce madonna presley lennon mccartney bowie hitchcock spielberg chaplin monroe disney messi ronaldo maradona pele federer nadal serena jordan lebron bolt nightingale \
    poe twain hemingway wilde woolf bronte doe bloggs public lee-harvey columbus magellan armstrong gagarin earhart parks pasteur fleming hawking feynman bohr heisenberg schrodinger euler gauss fermat",
);

/// Somebody without a name, yet one alone: a case, a bed, an age with a sex.
const CASE: &str = concat!(
    r"(?:[0-9]{1,2} ?[歳才](?:の)?(?:男|女|児|児童)|[0-9]{1,2}歳[^\n]{0,4}(?:男性|女性)|[男女]性?[、 (]?[0-9]{1,2}[歳才]|(?:昭和|平成|S|H)[0-9]{1,2}年?[^\n]{0,6}生|[0-9]{1,2}[歳才](?:児|、)|被験者[番号 ]{0,3}[0-9]|症例[ ]?[0-9]|",
    r"\b(?:participant|subject|patient|case|client|bed|p|respondent)[ #]{0,2}0?\d{1,4}\b|\b[MF][ /]?\d{2}\b|\b\d{2}[ /]?(?:yo|y/o|m|f)\b|\b\d{1,2}[- ]year[- ]old\b|\bcase (?:note|record|file)s?:|",
    r"\b(?:resident|patient|client|passenger|lodger|tenant|pupil|student|applicant|suspect|victim|guest|donor|employee|emp) (?-i:[A-Z][a-z]+ [A-Z][a-z]+|[A-Z]{3,} [A-Z]{2,}|\d{3,}))",
);

struct Patterns {
    case: Regex,
    stranger_ja: Regex,
    english: Regex,
    word: Regex,
    relation_en: Regex,
    whole_ja: Regex,
    addressed_ja: Regex,
    role_ja: Regex,
    surname_ja: Regex,
    relation_ja: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    Some(Patterns {
        case: compile(CASE).ok()?,
        stranger_ja: compile(&format!(
            r"(?:{ROLES})(?:の|[ :、(]|は){{1,2}}(?P<n>[\p{{Han}}々]{{2,4}}|[\p{{Katakana}}ー]{{2,6}}|[A-Z]さん)(?:[、。(,: ]|は|が|に|を|と|の|さん|$)"
        ))
        .ok()?,
        english: compile(ENGLISH).ok()?,
        word: compile(r"(?-i:\b[A-Z][a-z]{1,11}\b)").ok()?,
        relation_en: compile(RELATION_EN).ok()?,
        whole_ja: compile(&format!(
            concat!(
                r"(?:^|[^\p{{Han}}々])(?P<n>(?:{}[ ]?|(?:{})[ ])(?:[\p{{Han}}々]{{1,3}}|\p{{Hiragana}}{{2,4}}|[\p{{Katakana}}ー]{{2,5}}))",
                r"(?:[^\p{{Han}}\p{{Hiragana}}]|さん|様|氏|は|が|の|を|に|と|で|も|へ|$)"
            ),
            format_args!("(?:{SURNAMES})"),
            SHORT_SURNAMES
        ))
        .ok()?,
        addressed_ja: compile(ADDRESSED_JA).ok()?,
        role_ja: compile(&format!(
            r"(?:{ROLES})(?:の名は|の名前は|名)?[ :はがのに、「(/=\x22]{{0,5}}(?P<n>(?:{SURNAMES})[\p{{Han}}\p{{Hiragana}}\p{{Katakana}}ー]?|[\p{{Han}}々]{{1,4}}[ ][\p{{Han}}々]{{1,3}}|\p{{Katakana}}[\p{{Katakana}}ー]{{1,6}}[ ・]\p{{Katakana}}[\p{{Katakana}}ー]{{1,7}})"
        ))
        .ok()?,
        surname_ja: compile(&format!(r"(?:^|[^\p{{Han}}々])(?P<n>{SURNAMES})(?:[^\p{{Han}}]|$)")).ok()?,
        relation_ja: compile(r"(?:妻|夫|母|父|兄|弟|姉|妹|息子|娘|長男|長女|次男|次女|孫|祖母|祖父|義母|義父|彼女|彼氏|元妻|元夫|元カノ|元カレ|婚約者|隣人|隣の家|うちの子|上司|部下|同僚|友人|親友|本人|家族|両親|旦那|嫁|主人|奥さん|奥様|私|僕|自分)(?:は|が|の|に|を|と|も|、|\(|[ ])").ok()?,
    })
});

/// `Jane Roe`, `C. Matos`, `Mrs Wren`, `KOWALSKI^HUGO`.
const ENGLISH: &str = concat!(
    r"(?-i:\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sgt|Fr)\.? [A-Z][a-z]{1,20}(?: [A-Z][a-z]{1,20})?(?:-[A-Z][a-z]+)?\b",
    r"|\b[A-Z][a-z]{1,15}(?: [A-Z]\.)? (?:O'|Mc|Mac|de |van |von |Di |La |al-)?[A-Z][a-z]{1,20}(?:-[A-Z][a-z]+)?\b",
    r"|\b[A-Z]\. ?(?:O'|Mc|Mac)?[A-Z][a-z]{2,20}\b|\b[A-Z]{3,20}/[A-Z]{3,20}(?: (?:MR|MRS|MS|MISS))?\b|\b[A-Z][a-z]{2,15} [A-Z]\.|\b[A-Z]\.[A-Z]\.|\b[A-Z]{2,20}\^[A-Z]{2,20})",
);

const RELATION_EN: &str = concat!(
    r"\b(?:my|our|his|her|their) (?:late |ex-?|ex |former |step-?|elderly |own |older |younger |eldest |youngest |\d{1,2}[- ]year[- ]old )?",
    r"(?:wife|husband|partner|spouse|ex|girlfriend|boyfriend|fianc[eé]e?|mother|father|mum|mom|dad|parents?|son|daughter|child|kid|brother|sister|aunt|uncle|cousin|niece|nephew|",
    r"grand(?:mother|father|ma|pa|son|daughter)|gran|nan|neighbou?r|boss|manager|colleague|coworker|tenant|landlord|landlady|flatmate|roommate|friend|client|patient|pupil|student|employee|",
    r"therapist|in-?laws?|wife's|nurse|cleaner|nanny|gp)\b",
);

/// `鈴木様`, `水野さん`, `キムさん`.
const ADDRESSED_JA: &str = concat!(
    r"(?P<n>[\p{Han}々]{1,4}(?:[ ]?[\p{Han}\p{Katakana}ー]{1,4}|\p{Hiragana}{2,3})?|[\p{Katakana}ー]{2,8}(?:[・ ][\p{Katakana}ー]{2,8})?)",
    r"(?:さん|様|氏|くん|ちゃん|君|殿|部長|課長|係長|主任|院長|先輩|教授|専務|常務|店長)(?:[^\p{Han}ー]|$)",
);

/// Forms of address that stand behind no name.
const NO_ONE: &[&str] = &[
    "客",
    "皆",
    "母",
    "父",
    "兄",
    "姉",
    "患者",
    "生徒",
    "学生",
    "業者",
    "奥",
    "御",
    "担当者",
    "保護者",
    "各位",
    "神",
    "王",
    "王子",
    "殿",
    "上",
    "本人",
    "息子",
    "娘",
    "医者",
    "看護師",
    "店員",
    "隣",
    "子",
    "赤",
    "姫",
    "お客",
    "同",
    "仕",
    "多",
    "模",
    "有",
    "彼",
    "諸",
    "何",
    "誰",
    "一",
    "新入社員",
    "新人",
    "先輩",
    "同僚",
    "部長",
    "課長",
    "会社",
    "貴社",
    "取引先",
    "一般",
    "架空",
    "君",
    "猫",
    "犬",
    "会員",
    "利用者",
    "オーナー",
    "ユーザー",
    "ユーザ",
    "メンバー",
    "スタッフ",
    "ゲスト",
    "エンジニア",
    "サポート",
    "太郎",
    "桃太郎",
    "浦島太郎",
    "金太郎",
    "営業",
    "総務",
    "人事",
    "経理",
    "前",
    "現",
    "元",
    "新",
    "副",
    "担当",
    "幹事",
    "部下",
    "上司",
    "主催者",
    "参加者",
    "応募者",
    "花子",
    "山田太郎",
    "山田花子",
    "名無し",
    "読者",
    "視聴者",
    "株主",
    "施主",
    "医院",
];

/// The persons in a text, the surest first where they stand at one place.
pub(super) fn persons(text: &str) -> Vec<Person> {
    let Some(patterns) = PATTERNS.as_ref() else { return Vec::new() };
    let mut all = english(patterns, text);
    if !text.is_ascii() {
        japanese(patterns, text, &mut all);
    }
    all
}

fn english(patterns: &Patterns, text: &str) -> Vec<Person> {
    let (mut all, mut at) = (Vec::new(), 0);
    while all.len() < MOST
        && let Some(hit) = patterns.english.find_at(text, at)
    {
        // Where the first word only introduces a person, the next two are tried.
        let first = hit.as_str().find([' ', '^']).unwrap_or(hit.len());
        let person = is_person(hit.as_str());
        at = if person { hit.end() } else { hit.start() + first };
        if person {
            all.push(Person { at: hit.range(), sure: Sure::Named });
        }
    }
    let lone = patterns.word.find_iter(text).filter(|hit| is_given(hit.as_str()));
    all.extend(lone.take(MOST).map(|hit| Person { at: hit.range(), sure: Sure::Part }));
    let cases = patterns.case.find_iter(text).take(MOST);
    all.extend(cases.map(|hit| Person { at: hit.range(), sure: Sure::Part }));
    let mine = patterns.relation_en.find_iter(text).take(MOST);
    all.extend(mine.map(|hit| Person { at: hit.range(), sure: Sure::Relation }));
    all
}

fn is_given(word: &str) -> bool {
    GIVEN.has(word)
}

/// Whether two capitalised words are a person whom not everybody knows.
fn is_person(shown: &str) -> bool {
    let mut words = shown.split([' ', '-', '^', '.', '\'']);
    let titled = shown.contains('^')
        || words.clone().next().is_some_and(|word| {
            matches!(word, "Mr" | "Mrs" | "Ms" | "Miss" | "Mx" | "Dr" | "Prof" | "Sgt" | "Fr")
        });
    let known = words.clone().any(|word| FAMOUS.has(word));
    let first = words.clone().next().is_some_and(is_given);
    !known && (titled || first || !words.any(|word| NO_NAMES.has(word)))
}

fn japanese(patterns: &Patterns, text: &str, all: &mut Vec<Person>) {
    let named = |regex: &Regex, sure: Sure, all: &mut Vec<Person>| {
        for hit in regex.captures_iter(text).take(MOST) {
            if let Some(name) = hit.name("n").or_else(|| hit.get(0)) {
                let after = &text[name.end()..];
                if is_somebody(name.as_str(), after, sure) {
                    all.push(Person { at: name.range(), sure });
                }
            }
        }
    };
    named(&patterns.role_ja, Sure::Named, all);
    named(&patterns.whole_ja, Sure::Named, all);
    named(&patterns.addressed_ja, Sure::Named, all);
    named(&patterns.stranger_ja, Sure::Part, all);
    named(&patterns.surname_ja, Sure::Part, all);
    named(&patterns.relation_ja, Sure::Relation, all);
}

/// Whether a Japanese word is a name here and no place, group or ending.
fn is_somebody(name: &str, after: &str, sure: Sure) -> bool {
    const ENDINGS: &[&str] = &[
        "です",
        "から",
        "まで",
        "には",
        "では",
        "だが",
        "など",
        "とは",
        "さん",
        "さま",
        "より",
        "への",
        "でも",
        "との",
        "ので",
        "する",
        "して",
        "した",
        "にて",
        "だけ",
        "たち",
        "くん",
        "ちゃん",
    ];
    const PLACES: &[&str] = &[
        "県",
        "市",
        "駅",
        "区",
        "町",
        "港",
        "支店",
        "工場",
        "店",
        "方面",
        "城",
        "村",
        "川",
        "山",
        "線",
        "出張",
        "営業所",
        "大学",
        "高校",
        "製作所",
        "株式",
        "商事",
        "電機",
        "工業",
    ];
    const KNOWN: &[&str] = &[
        "夏目漱石",
        "漱石",
        "芥川",
        "太宰",
        "宮沢賢治",
        "紫式部",
        "信長",
        "秀吉",
        "家康",
        "龍馬",
        "卑弥呼",
        "聖徳",
        "野口英世",
        "福沢諭吉",
        "渋沢",
        "北里",
        "大谷翔平",
        "山田太郎",
        "山田花子",
        "鈴木一郎選手",
        "宮崎駿",
        "村上春樹",
        "森鴎外",
        "川端康成",
        "三島由紀夫",
    ];
    let bare = name.trim();
    if sure == Sure::Relation {
        return true;
    }
    let stem = NO_ONE.contains(&bare) || NO_ONE.iter().any(|other| bare == format!("お{other}"));
    !stem
        && !KNOWN.iter().any(|known| bare.contains(known))
        && !ENDINGS
            .iter()
            .any(|end| bare.ends_with(end) && sure == Sure::Named && bare.chars().count() < 5)
        && !PLACES.iter().any(|place| {
            after.starts_with(place)
                || sure != Sure::Part && bare.ends_with(place) && bare.chars().count() > 2
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sure(text: &str) -> Option<Sure> {
        persons(text).into_iter().map(|person| person.sure).max()
    }

    #[test]
    fn whole_names_forms_of_address_and_roles_name_somebody() {
        for text in [
            "seen by Jane Roe",
            "Mrs Wren came",
            "C. Matos said",
            "水野さんの件",
            "患者 高木の",
            "松本あかり、",
        ] {
            assert_eq!(sure(text), Some(Sure::Named), "{text}");
        }
    }

    #[test]
    fn a_lone_name_or_a_relation_is_weaker() {
        assert_eq!(sure("Priya is away"), Some(Sure::Part));
        assert_eq!(sure("my wife is away"), Some(Sure::Relation));
    }

    #[test]
    fn places_products_and_those_whom_all_know_are_nobody() {
        for text in ["Visual Studio and New York", "Ada Lovelace wrote it", "お客様に、皆さんへ"]
        {
            assert_eq!(sure(text), None, "{text}");
        }
    }
}
