/** Django's language codes and the locales that the ChatKit client knows. */

const SUPPORTED = (
  "am ar bg bg-BG bn bn-BD bs bs-BA ca ca-ES cs cs-CZ da da-DK de de-DE el el-GR en es es-419 es-ES et et-EE fi fi-FI " +
  "fr fr-CA fr-FR gu gu-IN hi hi-IN hr hr-HR hu hu-HU hy hy-AM id id-ID is is-IS it it-IT ja ja-JP ka ka-GE kk kn " +
  "kn-IN ko ko-KR lt lv lv-LV mk mk-MK ml mn mr mr-IN ms ms-MY my my-MM nb nb-NO nl nl-NL pa pl pl-PL pt pt-BR pt-PT " +
  "ro ro-RO ru ru-RU sk sk-SK sl sl-SI so so-SO sq sq-AL sr sr-RS sv sv-SE sw sw-TZ ta ta-IN te te-IN th th-TH tl tr " +
  "tr-TR uk uk-UA ur vi vi-VN zh zh-CN zh-HK zh-Hant zh-TW"
).split(" ");
const BY_LOWER_CASE = new Map(SUPPORTED.map((locale) => [locale.toLowerCase(), locale]));

/** @type {Record<string, string>} */
const OTHER_NAMES = {
  "es-ar": "es-419",
  "es-co": "es-419",
  "es-mx": "es-419",
  "es-ni": "es-419",
  "es-ve": "es-419",
  fil: "tl",
  nn: "nb",
  no: "nb",
  "zh-hans": "zh-CN",
  "zh-hant": "zh-TW",
  "zh-sg": "zh-CN",
  "zh-mo": "zh-HK",
};

/**
 * The client's locale for a language code: itself in the client's spelling, another name of it, or its language without
 * the region.
 *
 * @param {string} code a language code as Django has it (`pt-br`, `zh-hans`)
 * @returns {string|undefined} undefined when the client has nothing like it
 */
export function clientLocale(code) {
  const parts = code.toLowerCase().replaceAll("_", "-").split("-");
  for (; parts.length; parts.pop()) {
    const name = parts.join("-");
    const locale = OTHER_NAMES[name] ?? BY_LOWER_CASE.get(name);
    if (locale) return locale;
  }
  return undefined;
}
