"""Expected values that no standard record carries, field by field, each with its reason."""

MAKERS = "computed from the maker's own bytes (0F, or an LVAR under VIF FF), not from a standard record"
COMPUTED = "computed by the publishing project from other values: a sum, a rounded age, dates counted back from another"
NO_VALUE = "80000000 is 'no value' (type B); the publishing project prints it as a number"
NO_DATE = "0000 is no date; the publishing project prints what its calendar makes of it"
EVERY_YEAR = "year 127 is 'every year', not 2127"
VIFE_75 = "the publishing project's driver does not apply the VIFE 75 (times 0.1) of this record"
DURATION = "02BB56 is the duration of a limit exceed in hours; the publishing project prints it as a flow"
CLOCK = "the meter marks its clock as invalid (bit 7 of the minutes); the publishing project prints it all the same"


def _because(reason: str, fields: str) -> dict[str, str]:
    return dict.fromkeys(fields.split(), reason)


EXCEPTIONS: dict[int, dict[str, str]] = {
    9: _because(MAKERS, "total_m3"),  # apator162
    10: _because(MAKERS, "total_m3"),  # apator162
    11: _because(MAKERS, "total_m3"),  # apator162
    12: _because(MAKERS, "total_m3"),  # apator162
    13: _because(MAKERS, "total_m3"),  # apator162
    14: _because(MAKERS, "total_m3"),  # apator162
    15: _because(MAKERS, "total_m3"),  # apator162
    16: _because(MAKERS, "total_m3"),  # apator162
    17: _because(MAKERS, "total_m3"),  # apator162
    18: _because(MAKERS, "total_m3"),  # apator162
    19: _because(MAKERS, "total_m3"),  # apator162
    20: _because(MAKERS, "total_m3"),  # apator162
    21: _because(MAKERS, "total_m3"),  # apator162
    22: _because(MAKERS, "total_m3"),  # apator162
    23: _because(MAKERS, "total_m3"),  # apator162
    24: _because(MAKERS, "total_m3"),  # apator162
    45: _because(
        NO_VALUE,
        (
            "prev_10_month_kwh prev_11_month_kwh prev_12_month_kwh prev_13_month_kwh prev_14_month_kwh "
            "prev_2_month_kwh prev_3_month_kwh prev_4_month_kwh prev_5_month_kwh prev_6_month_kwh "
            "prev_7_month_kwh prev_8_month_kwh prev_9_month_kwh"
        ),
    ),  # c5isf
    55: _because(COMPUTED, "current_power_consumption_kw"),  # ebzwmbe
    68: _because(VIFE_75, "total_reactive_energy_consumption_kvarh total_reactive_energy_production_kvarh")
    | _because(COMPUTED, "total_apparent_energy_consumption_kvah total_apparent_energy_production_kvah"),  # em24
    69: _because(COMPUTED, "total_apparent_energy_consumption_kvah"),  # em24
    70: _because(NO_DATE, "target_date"),  # emerlin868
    71: _because(NO_VALUE, "target_m3") | _because(NO_DATE, "target_date"),  # emerlin868
    76: _because(
        COMPUTED,
        (
            "history_2_date history_3_date history_4_date history_5_date history_6_date history_7_date "
            "history_8_date history_9_date history_10_date history_11_date history_12_date"
        ),
    ),  # evo868
    77: _because(
        COMPUTED,
        (
            "history_10_date history_11_date history_2_date history_3_date history_4_date history_5_date "
            "history_6_date history_7_date history_8_date history_9_date"
        ),
    ),  # evo868
    82: _because(NO_DATE, "target_date"),  # gwfgas
    84: _because(MAKERS, "battery_y"),  # gwfwater
    89: _because(NO_DATE, "meter_datetime_at_error"),  # hcae2
    95: _because(
        MAKERS,
        (
            "average_ambient_temperature_c average_ambient_temperature_last_month_c "
            "average_heater_temperature_last_month_c max_ambient_temperature_c total_consumption_hca"
        ),
    ),  # hydroclimav2
    96: _because(
        MAKERS,
        (
            "ambient_temperature_at_set_date_1_c ambient_temperature_at_set_date_2_c "
            "ambient_temperature_at_set_date_3_c average_ambient_temperature_c "
            "average_ambient_temperature_last_month_c average_heater_temperature_c "
            "average_heater_temperature_last_month_c consumption_at_set_date_1_hca "
            "consumption_at_set_date_3_hca consumption_at_set_date_4_hca max_ambient_temperature_c "
            "total_consumption_hca"
        ),
    ),  # hydroclimav2
    97: _because(
        MAKERS,
        (
            "ambient_temperature_at_set_date_1_c ambient_temperature_at_set_date_2_c "
            "average_ambient_temperature_c average_ambient_temperature_last_month_c "
            "average_heater_temperature_c average_heater_temperature_last_month_c max_ambient_temperature_c "
            "total_consumption_hca"
        ),
    ),  # hydroclimav2
    98: _because(
        MAKERS,
        (
            "April_total_m3 August_total_m3 December_total_m3 February_total_m3 January_total_m3 "
            "July_total_m3 June_total_m3 March_total_m3 May_total_m3 November_total_m3 October_total_m3 "
            "September_total_m3 backflow_m3 voltage_v"
        ),
    ),  # hydrodigit
    99: _because(
        MAKERS,
        (
            "April_total_m3 August_total_m3 December_total_m3 February_total_m3 January_total_m3 "
            "July_total_m3 June_total_m3 March_total_m3 May_total_m3 November_total_m3 October_total_m3 "
            "September_total_m3 backflow_m3 voltage_v"
        ),
    ),  # hydrodigit
    100: _because(
        MAKERS,
        (
            "April_total_m3 August_total_m3 December_total_m3 February_total_m3 January_total_m3 "
            "July_total_m3 June_total_m3 March_total_m3 May_total_m3 November_total_m3 October_total_m3 "
            "September_total_m3 backflow_m3 leak_date voltage_v"
        ),
    ),  # hydrodigit
    101: _because(MAKERS, "backflow_m3 voltage_v"),  # hydrodigit
    108: _because(NO_DATE, "last_year_date"),  # istaheat
    122: _because(EVERY_YEAR, "target_date"),  # kaden
    158: _because(
        COMPUTED,
        (
            "set_date_11_date set_date_13_date set_date_15_date set_date_17_date set_date_19_date "
            "set_date_21_date set_date_23_date set_date_25_date set_date_27_date set_date_29_date "
            "set_date_31_date set_date_3_date set_date_5_date set_date_7_date set_date_9_date"
        ),
    ),  # microclima
    178: _because(
        MAKERS,
        (
            "current_consumption_hca set_date consumption_at_set_date_hca set_date_1 "
            "consumption_at_set_date_1_hca set_date_17 consumption_at_set_date_17_hca"
        ),
    ),  # qcaloric
    187: _because(
        MAKERS,
        (
            "energy_delta_10_kwh energy_delta_11_kwh energy_delta_12_kwh energy_delta_13_kwh "
            "energy_delta_2_kwh energy_delta_3_kwh energy_delta_4_kwh energy_delta_5_kwh energy_delta_6_kwh "
            "energy_delta_7_kwh energy_delta_8_kwh energy_delta_9_kwh target_date target_kwh target_year_date "
            "target_year_kwh total_kwh"
        ),
    ),  # qheatv2
    189: _because(
        MAKERS,
        (
            "energy_delta_10_kwh energy_delta_11_kwh energy_delta_12_kwh energy_delta_13_kwh "
            "energy_delta_2_kwh energy_delta_3_kwh energy_delta_4_kwh energy_delta_5_kwh energy_delta_6_kwh "
            "energy_delta_7_kwh energy_delta_8_kwh energy_delta_9_kwh target_date target_kwh target_year_kwh "
            "total_kwh"
        ),
    ),  # qheatv2
    190: _because(
        MAKERS,
        (
            "energy_delta_10_kwh energy_delta_11_kwh energy_delta_12_kwh energy_delta_13_kwh "
            "energy_delta_2_kwh energy_delta_3_kwh energy_delta_4_kwh energy_delta_5_kwh energy_delta_6_kwh "
            "energy_delta_7_kwh energy_delta_8_kwh energy_delta_9_kwh target_date target_kwh target_year_date "
            "target_year_kwh total_kwh"
        ),
    ),  # qheatv2
    197: _because(DURATION, "volume_flow_m3h"),  # qwaterv2
    198: _because(
        MAKERS,
        (
            "target_date target_m3 target_year_date target_year_m3 total_m3 volume_delta_2_m3 "
            "volume_delta_3_m3 volume_delta_4_m3 volume_delta_5_m3 volume_delta_6_m3 volume_delta_7_m3 "
            "volume_delta_8_m3 volume_delta_9_m3 volume_delta_10_m3 volume_delta_11_m3 volume_delta_12_m3 "
            "volume_delta_13_m3"
        ),
    ),  # qwaterv2
    200: _because(DURATION, "volume_flow_m3h"),  # qwaterv2
    201: _because(DURATION, "volume_flow_m3h"),  # qwaterv2
    202: _because(DURATION, "volume_flow_m3h"),  # qwaterv2
    203: _because(
        MAKERS,
        (
            "target_date target_m3 target_year_date target_year_m3 total_m3 volume_delta_2_m3 "
            "volume_delta_3_m3 volume_delta_4_m3 volume_delta_5_m3 volume_delta_6_m3 volume_delta_7_m3 "
            "volume_delta_8_m3 volume_delta_9_m3 volume_delta_10_m3 volume_delta_11_m3 volume_delta_12_m3 "
            "volume_delta_13_m3"
        ),
    ),  # qwaterv2
    204: _because(DURATION, "volume_flow_m3h"),  # qwater
    205: _because(MAKERS, "due_17_date due_17_date_m3 due_date due_date_m3 total_m3"),  # qwater
    206: _because(MAKERS, "due_17_date due_17_date_m3 due_date due_date_m3 total_m3"),  # qwater
    207: _because(DURATION, "volume_flow_m3h"),  # qwater
    208: _because(DURATION, "volume_flow_m3h"),  # qwater
    209: _because(MAKERS, "due_17_date_m3 due_date_m3 total_m3"),  # qwater
    210: _because(MAKERS, "due_17_date due_17_date_m3 due_date_m3 total_m3"),  # qwater
    220: _because(EVERY_YEAR, "set_date"),  # sontex868
    221: _because(EVERY_YEAR, "target_date"),  # supercal
    243: _because(
        COMPUTED,
        (
            "history_10_date history_11_date history_12_date history_13_date history_14_date history_15_date "
            "history_1_date history_2_date history_3_date history_4_date history_5_date history_6_date "
            "history_7_date history_8_date history_9_date"
        ),
    ),  # waterstarm
    244: _because(
        COMPUTED,
        (
            "history_10_date history_11_date history_12_date history_13_date history_14_date history_15_date "
            "history_1_date history_2_date history_3_date history_4_date history_5_date history_6_date "
            "history_7_date history_8_date history_9_date"
        ),
    ),  # waterstarm
    245: _because(
        COMPUTED,
        (
            "history_10_date history_11_date history_12_date history_13_date history_14_date history_15_date "
            "history_1_date history_2_date history_3_date history_4_date history_5_date history_6_date "
            "history_7_date history_8_date history_9_date"
        ),
    )
    | _because(CLOCK, "meter_datetime"),  # waterstarm
    248: _because(MAKERS, "target_m3 total_m3"),  # zenner0b
    249: _because(MAKERS, "target_m3 total_m3"),  # zenner0b
    266: _because(MAKERS, "backflow_m3 voltage_v"),  # hydrodigit
}
