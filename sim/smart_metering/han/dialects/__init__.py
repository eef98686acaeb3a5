"""What makers' devices speak to a household, a file each (`DIALECT`), found by folder; and a display page.

    ppc      one CGI, HTML forms, a session cookie; CMS export: what py-ppc-smgw speaks
    theben   JSON by POST, published as IF_GW_CON 1.4
    emh      JSON by GET, as free clients of it read it
    display  a page for a browser, which every gateway has beside its dialect

Forms are those that free clients and a published interface show; no device was at hand. What none of them shows is this
model's, and marked in the file.
"""
