// SPDX-License-Identifier: GPL-2.0-or-later
// SPDX-FileCopyrightText: The Glass Box authors
// The frequency of the host's time stamp counter, which TCG passes on to the guest: told on the
// kernel's command line, it saves the guest its own calibration.
#pragma once

// kHz, measured against CLOCK_MONOTONIC_RAW for some 5 ms; 0 when it does not run evenly.
unsigned gb_tsc_khz(void);
