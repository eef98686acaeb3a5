"""The defects, one file for each part that they are put into.

    plays             the scenarios that speak of them
    portal_stores     the portal stores what it must not
    portal_drops      the portal refuses or drops what it must take
    portal_values     the portal stores other values
    portal_alarms     alarms that are late, constant, or about somebody else
    portal_sums       bills, sums of houses, and who may see what
    attacks_silent    an attack that is not made, or not heard
    attacks_other     an attack that is another than its name says
    faults            a fault that does not strike
    gateways          a gateway that leaks, loses or changes
    endpoints         a broker that does not enforce
    list_rows         meters that listen, encryption in the link layer, onboarding, backups
    firmware_taken    firmware that must not be taken
    tapped_lines      lines that say more than they should
    rig               the bench itself
"""
