/** Emoji and the short names that Slack has for them. */

/** Slack's name: of an emoji, or of `:name:`. `undefined` for what is neither. */
export function nameOfEmoji(emoji: string): string | undefined {
  const written = emoji.trim();
  const named = /^:?([a-z0-9_'+-]+(?:::skin-tone-[2-6])?):?$/.exec(written)?.[1];
  if (named !== undefined) return named;
  const [tone] = written.match(/[\u{1f3fb}-\u{1f3ff}]/u) ?? [];
  const name = NAMES.get(bare(written));
  if (name === undefined || tone === undefined) return name;
  return `${name}::skin-tone-${tone.codePointAt(0)! - 0x1f3fb + 2}`;
}

/** The emoji that a name of Slack's means; `:name:` for one that is not known. */
export function emojiOfName(name: string): string {
  const [base = "", tone] = name.split("::skin-tone-");
  const emoji = EMOJI.get(base);
  if (emoji === undefined) return `:${name}:`;
  const shade = Number(tone);
  if (!(shade >= 2 && shade <= 6)) return emoji;
  return bare(emoji) + String.fromCodePoint(0x1f3fb + shade - 2);
}

/** Without a shade of skin, and without the mark that asks for colour. */
function bare(emoji: string): string {
  return emoji.replace(/[\u{1f3fb}-\u{1f3ff}]|\ufe0f/gu, "");
}

/** The first name of an emoji is the one that Slack itself uses. */
const LIST = `
👍 +1 thumbsup
👎 -1 thumbsdown
👌 ok_hand
✌️ v
🤞 crossed_fingers
🤝 handshake
👏 clap
🙌 raised_hands
🙏 pray
💪 muscle
👋 wave
🤙 call_me_hand
👊 facepunch punch
✊ fist
🤘 the_horns
☝️ point_up
👆 point_up_2
👇 point_down
👈 point_left
👉 point_right
✋ hand raised_hand
🖖 spock-hand
✍️ writing_hand
👀 eyes
🧠 brain
😀 grinning
😃 smiley
😄 smile
😁 grin
😆 laughing satisfied
😅 sweat_smile
🤣 rolling_on_the_floor_laughing
😂 joy
🙂 slightly_smiling_face
🙃 upside_down_face
😉 wink
😊 blush
😇 innocent
🥰 smiling_face_with_3_hearts
😍 heart_eyes
🤩 star-struck
😘 kissing_heart
😋 yum
😛 stuck_out_tongue
😜 stuck_out_tongue_winking_eye
🤪 zany_face
🤗 hugging_face
🤔 thinking_face
🤫 shushing_face
🤐 zipper_mouth_face
🤨 face_with_raised_eyebrow
😐 neutral_face
😑 expressionless
😶 no_mouth
😏 smirk
😒 unamused
🙄 face_with_rolling_eyes
😬 grimacing
😌 relieved
😔 pensive
😪 sleepy
😴 sleeping
😷 mask
🤒 face_with_thermometer
🤕 face_with_head_bandage
🤢 nauseated_face
🤮 face_vomiting
🥵 hot_face
🥶 cold_face
😵 dizzy_face
🤯 exploding_head
🥳 partying_face
😎 sunglasses
🤓 nerd_face
😕 confused
😟 worried
☹️ white_frowning_face
😮 open_mouth
😲 astonished
😳 flushed
🥺 pleading_face
😨 fearful
😰 cold_sweat
😢 cry
😭 sob
😱 scream
😞 disappointed
😓 sweat
😩 weary
😫 tired_face
😤 triumph
😡 rage
😠 angry
🤬 face_with_symbols_on_mouth
😈 smiling_imp
💀 skull
💩 hankey poop
🤡 clown_face
👻 ghost
👽 alien
🤖 robot_face
❤️ heart
🧡 orange_heart
💛 yellow_heart
💚 green_heart
💙 blue_heart
💜 purple_heart
🖤 black_heart
🤍 white_heart
💔 broken_heart
💯 100
💥 boom collision
💫 dizzy
💦 sweat_drops
💤 zzz
🔥 fire
✨ sparkles
⭐ star
🌟 star2
⚡ zap
☀️ sunny
🌈 rainbow
❄️ snowflake
🎉 tada
🎊 confetti_ball
🎈 balloon
🎁 gift
🏆 trophy
🥇 first_place_medal
🎯 dart
🚀 rocket
🚧 construction
🚨 rotating_light
✅ white_check_mark
☑️ ballot_box_with_check
✔️ heavy_check_mark
❌ x
❎ negative_squared_cross_mark
➕ heavy_plus_sign
➖ heavy_minus_sign
❓ question
❔ grey_question
❗ exclamation heavy_exclamation_mark
❕ grey_exclamation
‼️ bangbang
⁉️ interrobang
⚠️ warning
⛔ no_entry
🚫 no_entry_sign
🔴 red_circle
🟠 large_orange_circle
🟡 large_yellow_circle
🟢 large_green_circle
🔵 large_blue_circle
⚪ white_circle
⚫ black_circle
⏳ hourglass_flowing_sand
⌛ hourglass
⏰ alarm_clock
⏱️ stopwatch
⏸️ double_vertical_bar
▶️ arrow_forward
🔁 repeat
🔄 arrows_counterclockwise
🔍 mag
🔎 mag_right
🔒 lock
🔓 unlock
🔑 key
🔔 bell
🔕 no_bell
🔗 link
🔧 wrench
🔨 hammer
🛠️ hammer_and_wrench
⚙️ gear
🧪 test_tube
🐛 bug
💡 bulb
💻 computer
📱 iphone
📎 paperclip
📌 pushpin
📍 round_pushpin
📝 memo pencil
📄 page_facing_up
📁 file_folder
📅 date
📈 chart_with_upwards_trend
📉 chart_with_downwards_trend
📊 bar_chart
📦 package
📣 mega
📢 loudspeaker
📷 camera
📧 e-mail
✉️ email envelope
💬 speech_balloon
💭 thought_balloon
💰 moneybag
💸 money_with_wings
☕ coffee
🍺 beer
🍻 beers
🍕 pizza
🍔 hamburger
🎂 birthday
🍌 banana
🍓 strawberry
🍾 champagne
🌭 hotdog
🐱 cat
🐶 dog
🦄 unicorn_face
🦀 crab
🦞 lobster
🐳 whale
🙈 see_no_evil
🙉 hear_no_evil
🙊 speak_no_evil
🤷 shrug
🤦 face_palm
🕊️ dove_of_peace
🎃 jack_o_lantern
🎅 santa
🎄 christmas_tree
☃️ snowman
🌚 new_moon_with_face
🌍 earth_africa
💋 kiss
🍆 eggplant
🖕 middle_finger reversed_hand_with_middle_finger_extended
💅 nail_care
🗿 moyai
🆒 cool
💘 cupid
💊 pill
👾 space_invader
👨‍💻 male-technologist
`;

const ROWS = LIST.trim().split("\n").map((row) => row.split(" "));
const NAMES: ReadonlyMap<string, string> = new Map(
  ROWS.map(([emoji = "", name = ""]) => [bare(emoji), name]),
);
const EMOJI: ReadonlyMap<string, string> = new Map(
  ROWS.flatMap(([emoji = "", ...names]) => names.map((name) => [name, emoji] as const)),
);
