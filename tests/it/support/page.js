// What is wrong with the page that is shown, a sentence each; nothing where all is well.
const wrong = [];
for (const details of document.querySelectorAll('details')) details.open = true;

const parse = (colour) => {
  const parts = (colour.match(/[\d.]+/g) || []).map(Number);
  return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
};
const over = (top, below) => ({
  r: top.r * top.a + below.r * (1 - top.a),
  g: top.g * top.a + below.g * (1 - top.a),
  b: top.b * top.a + below.b * (1 - top.a),
  a: 1,
});
const luminance = ({ r, g, b }) => {
  const linear = [r, g, b].map((v) => {
    const share = v / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
};
const contrast = (one, two) => {
  const [light, dark] = [luminance(one), luminance(two)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};
const ground = (element) => {
  const above = [];
  for (let at = element; at; at = at.parentElement) above.push(parse(getComputedStyle(at).backgroundColor));
  return above.reduceRight((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
};

let texts = 0;
let lowest = 21;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.data.trim();
  if (!text || !element.getClientRects().length) continue;
  const style = getComputedStyle(element);
  const behind = ground(element);
  const own = parse(element.closest('svg') ? style.fill : style.color);
  const ratio = contrast(over(own, behind), behind);
  texts += 1;
  lowest = Math.min(lowest, ratio);
  if (ratio < 4.5) wrong.push(`contrast ${ratio.toFixed(2)}: ${text}`);
  const size = element.closest('svg')
    ? parseFloat(style.fontSize) * element.getScreenCTM().a
    : parseFloat(style.fontSize);
  if (size < 10) wrong.push(`letters of ${size.toFixed(1)} px: ${text}`);
}

const svgs = [...document.querySelectorAll('svg')];
for (const svg of svgs) {
  if (svg.getAttribute('role') !== 'img') wrong.push('a chart without role="img"');
  if (!(svg.getAttribute('aria-label') || '').trim()) wrong.push('a chart without a label');
  const section = svg.closest('section');
  if (!section || !section.querySelector('h2')) wrong.push('a chart without a title');
  if (!section || !section.querySelector('table')) wrong.push('a chart without a table of its figures');
  const frame = svg.getBoundingClientRect();
  for (const text of svg.querySelectorAll('text')) {
    const box = text.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) {
      wrong.push(`a chart cuts off: ${text.textContent.trim()}`);
    }
  }
}
for (const th of document.querySelectorAll('th')) {
  if (!th.getAttribute('scope')) wrong.push(`a head without a scope: ${th.textContent}`);
}
for (const place of document.querySelectorAll('.wide')) {
  if (place.tabIndex !== 0 || !place.getAttribute('aria-label')) wrong.push('a wide table that keys cannot move');
}
if (!document.documentElement.lang) wrong.push('no language');
if (!document.title) wrong.push('no title');
if (document.querySelectorAll('h1').length !== 1 || document.querySelectorAll('main').length !== 1) wrong.push('not one h1 and one main');
if (document.querySelector('script, link, img, iframe, object')) wrong.push('something of another file');
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} wide on ${root.clientWidth}`);
return { wrong, texts, lowest, charts: svgs.length };
