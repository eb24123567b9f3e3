"""The look of the worklist: that of every Casewell page, and what lists and forms need besides."""

from __future__ import annotations

from casewell.page import STYLE as EVERY_PAGE

STYLE = (
    EVERY_PAGE
    + """
.wide{max-width:1280px}
a{color:#005eb8}a:hover{text-decoration-thickness:3px}
.skip{position:absolute;left:-999em}.skip:focus{position:static;display:block;padding:8px 20px;background:#fff}
header{padding:14px 0}header .wide a{color:#fff;font-size:22px;font-weight:bold;text-decoration:none}
header .wide a:hover{text-decoration:underline}
.week{background:#fff;border-bottom:1px solid #d8dde0;font-size:15px}
.week dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0;padding:12px 0}
.week dt{font-weight:bold}.week dd{margin:0}
main.wide{padding-top:20px;padding-bottom:40px}main h1{margin:8px 0 4px}
.back{margin:0}.lead{margin:0 0 16px;max-width:46em}
table{background:#fff;font-size:15px}th,td{text-align:left;padding:10px 12px}
caption{padding:10px 12px;background:#fff;font-size:17px}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
tbody th{font-weight:normal}tbody th .name,tbody th a{font-weight:bold;font-size:17px}
.quiet{color:#425563;display:block}.digits{white-space:nowrap;font-variant-numeric:tabular-nums}
td ul,.facts-list ul{margin:0;padding-left:18px}td.outcome{min-width:10em}
.done{display:block;font-weight:bold;color:#00662f}
.recorded,.trouble{background:#fff;border:4px solid #007f3b;padding:12px 16px;margin:0 0 20px}
.recorded p,.trouble p{margin:0}.trouble{border-color:#d5281b}.trouble h2{font-size:20px}.trouble ul{margin:8px 0 0}
.trouble a{color:#b4160a;font-weight:bold}
.pages{display:flex;gap:24px;margin:16px 0;padding:0;list-style:none}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px;align-items:start}
@media(max-width:800px){.two{grid-template-columns:1fr}.week dl{grid-template-columns:1fr}}
.two section{margin:0}.two section h2:not(:first-child){margin-top:24px}
.facts-list{display:grid;grid-template-columns:max-content 1fr;gap:8px 20px;margin:0}
.facts-list dt{font-weight:bold}.facts-list dd{margin:0}
fieldset{border:0;margin:0 0 20px;padding:0}legend,.question{font-weight:bold;font-size:19px;padding:0;display:block}
.choice{display:flex;align-items:center;gap:12px;padding:6px 0}
.choice input{width:26px;height:26px;margin:0;flex:none}.choice label{padding:4px 0;flex:1}
input[type=date],input[type=text],select,textarea{font:inherit;padding:8px;border:2px solid #425563;background:#fff;color:#212b32}
.question{margin-top:16px}.hint{color:#425563;margin:2px 0 6px}.wrong{color:#b4160a;font-weight:bold;margin:2px 0 6px}
input[type=text],textarea{width:100%;box-sizing:border-box}
button{font:inherit;font-weight:bold;color:#fff;background:#007f3b;border:0;padding:12px 22px;margin-top:20px;cursor:pointer}
button:hover{background:#00662f}
"""
)
