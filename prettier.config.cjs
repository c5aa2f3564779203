/** @type {import("prettier").Config} */
const config = {
    plugins: [require.resolve("@prettier/plugin-xml")],
    bracketSpacing: false,
    printWidth: 88,
    proseWrap: "preserve",
    semi: true,
    tabWidth: 4,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve",
    overrides: [{files: ["*.yaml", "*.yml"], options: {tabWidth: 2}}],
};

module.exports = config;
