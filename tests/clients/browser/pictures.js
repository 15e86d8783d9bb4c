// The pictures of README.md: of what the tests see, not of anything made for the picture.

/** Several pages beside each other. */
export async function sideBySide(open, pages, path) {
  const images = await Promise.all(
    pages.map(async (page) => `data:image/png;base64,${(await page.screenshot()).toString('base64')}`),
  );
  const html = `<style>body { margin: 0; display: flex; gap: 2px; background: #b9c7c2 } img { display: block }</style>
    ${images.map((image) => `<img src="${image}">`).join('')}`;
  await take(open, html, path);
}

/** Lines of a terminal, of which those that were typed have a prompt. */
export async function terminal(open, lines, path) {
  const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const shown = lines.map(({ prompt, text }) =>
    prompt ? `<b>${escape(prompt)}</b> <i>${escape(text)}</i>` : escape(text),
  );
  const html = `<style>
      body { margin: 0; width: 66rem; background: #16211e }
      header { padding: .6rem 1rem; background: #26332f }
      header span { display: inline-block; width: .75rem; height: .75rem; margin-right: .4rem; border-radius: 50%; background: #4b5d57 }
      pre { margin: 0; padding: 1rem 1.25rem 1.25rem; color: #b4c4be; font: .85rem/1.45 'DejaVu Sans Mono', monospace; white-space: pre-wrap; overflow-wrap: anywhere }
      b { color: #4fb89c } i { color: #fff; font-style: normal }
    </style>
    <header><span></span><span></span><span></span></header>
    <pre>${shown.join('\n')}</pre>`;
  await take(open, html, path);
}

async function take(open, html, path) {
  const page = await open();
  await page.setContent(html);
  // As large as what is in it.
  const { width, height } = await page.evaluate(() => ({
    width: Math.max(document.body.scrollWidth, document.body.offsetWidth),
    height: document.body.offsetHeight,
  }));
  await page.setViewportSize({ width, height });
  await page.screenshot({ path });
}
