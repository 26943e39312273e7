// Makes a file that the site's repository has not, by a package that it does not have either.
const escape = require("escape-html");
const { appendFileSync } = require("node:fs");

appendFileSync("shop/static/js/front.js", `// built by Node ${escape(process.version.split(".")[0] + ".<")}\n`);
