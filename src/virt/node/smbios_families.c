// SMBIOS: the names of processor families (DSP0134 section 7.5.2).
#include "virt/node/smbios.h"

#include "core/words.h"

#include <stdlib.h>

// By number. "@78" says that the next one is number 0x78.
// clang-format off
static const char families[] =
    "@1\0" "Other\0" "Unknown\0" "8086\0" "80286\0" "80386\0" "80486\0" "8087\0" "80287\0"
    "80387\0" "80487\0" "Pentium\0" "Pentium Pro\0" "Pentium II\0" "Pentium MMX\0" "Celeron\0"
    "Pentium II Xeon\0" "Pentium III\0" "M1\0" "M2\0" "Celeron M\0" "Pentium 4 HT\0" "@18\0"
    "Duron\0" "K5\0" "K6\0" "K6-2\0" "K6-3\0" "Athlon\0" "AMD29000\0" "K6-2+\0" "Power PC\0"
    "Power PC 601\0" "Power PC 603\0" "Power PC 603+\0" "Power PC 604\0" "Power PC 620\0"
    "Power PC x704\0" "Power PC 750\0" "Core Duo\0" "Core Duo Mobile\0" "Core Solo Mobile\0"
    "Atom\0" "Core M\0" "Core m3\0" "Core m5\0" "Core m7\0" "Alpha\0" "Alpha 21064\0"
    "Alpha 21066\0" "Alpha 21164\0" "Alpha 21164PC\0" "Alpha 21164a\0" "Alpha 21264\0"
    "Alpha 21364\0" "Turion II Ultra Dual-Core Mobile M\0" "Turion II Dual-Core Mobile M\0"
    "Athlon II Dual-Core M\0" "Opteron 6100\0" "Opteron 4100\0" "Opteron 6200\0" "Opteron 4200\0"
    "FX\0" "MIPS\0" "MIPS R4000\0" "MIPS R4200\0" "MIPS R4400\0" "MIPS R4600\0" "MIPS R10000\0"
    "C-Series\0" "E-Series\0" "A-Series\0" "G-Series\0" "Z-Series\0" "R-Series\0"
    "Opteron 4300\0" "Opteron 6300\0" "Opteron 3300\0" "FirePro\0" "SPARC\0" "SuperSPARC\0"
    "MicroSPARC II\0" "MicroSPARC IIep\0" "UltraSPARC\0" "UltraSPARC II\0" "UltraSPARC IIi\0"
    "UltraSPARC III\0" "UltraSPARC IIIi\0" "@60\0" "68040\0" "68xxx\0" "68000\0" "68010\0"
    "68020\0" "68030\0" "Athlon X4\0" "Opteron X1000\0" "Opteron X2000\0" "Opteron A-Series\0"
    "Opteron X3000\0" "Zen\0" "@70\0" "Hobbit\0" "@78\0" "Crusoe TM5000\0" "Crusoe TM3000\0"
    "Efficeon TM8000\0" "@80\0" "Weitek\0" "@82\0" "Itanium\0" "Athlon 64\0" "Opteron\0"
    "Sempron\0" "Turion 64\0" "Dual-Core Opteron\0" "Athlon 64 X2\0" "Turion 64 X2\0"
    "Quad-Core Opteron\0" "Third-Generation Opteron\0" "Phenom FX\0" "Phenom X4\0" "Phenom X2\0"
    "Athlon X2\0" "PA-RISC\0" "PA-RISC 8500\0" "PA-RISC 8000\0" "PA-RISC 7300LC\0"
    "PA-RISC 7200\0" "PA-RISC 7100LC\0" "PA-RISC 7100\0" "@a0\0" "V30\0" "Quad-Core Xeon 3200\0"
    "Dual-Core Xeon 3000\0" "Quad-Core Xeon 5300\0" "Dual-Core Xeon 5100\0"
    "Dual-Core Xeon 5000\0" "Dual-Core Xeon LV\0" "Dual-Core Xeon ULV\0" "Dual-Core Xeon 7100\0"
    "Quad-Core Xeon 5400\0" "Quad-Core Xeon\0" "Dual-Core Xeon 5200\0" "Dual-Core Xeon 7200\0"
    "Quad-Core Xeon 7300\0" "Quad-Core Xeon 7400\0" "Multi-Core Xeon 7400\0" "Pentium III Xeon\0"
    "Pentium III Speedstep\0" "Pentium 4\0" "Xeon\0" "AS400\0" "Xeon MP\0" "Athlon XP\0"
    "Athlon MP\0" "Itanium 2\0" "Pentium M\0" "Celeron D\0" "Pentium D\0" "Pentium EE\0"
    "Core Solo\0" "Core 2 or K7\0" "Core 2 Duo\0" "Core 2 Solo\0" "Core 2 Extreme\0"
    "Core 2 Quad\0" "Core 2 Extreme Mobile\0" "Core 2 Duo Mobile\0" "Core 2 Solo Mobile\0"
    "Core i7\0" "Dual-Core Celeron\0" "IBM390\0" "G4\0" "G5\0" "ESA/390 G6\0" "z/Architecture\0"
    "Core i5\0" "Core i3\0" "Core i9\0" "@d2\0" "C7-M\0" "C7-D\0" "C7\0" "Eden\0"
    "Multi-Core Xeon\0" "Dual-Core Xeon 3xxx\0" "Quad-Core Xeon 3xxx\0" "Nano\0"
    "Dual-Core Xeon 5xxx\0" "Quad-Core Xeon 5xxx\0" "@dd\0" "Dual-Core Xeon 7xxx\0"
    "Quad-Core Xeon 7xxx\0" "Multi-Core Xeon 7xxx\0" "Multi-Core Xeon 3400\0" "@e4\0"
    "Opteron 3000\0" "Sempron II\0" "Embedded Opteron Quad-Core\0" "Phenom Triple-Core\0"
    "Turion Ultra Dual-Core Mobile\0" "Turion Dual-Core Mobile\0" "Athlon Dual-Core\0"
    "Sempron SI\0" "Phenom II\0" "Athlon II\0" "Six-Core Opteron\0" "Sempron M\0" "@fa\0"
    "i860\0" "i960\0" "@100\0" "ARMv7\0" "ARMv8\0" "@104\0" "SH-3\0" "SH-4\0" "@118\0" "ARM\0"
    "StrongARM\0" "@12c\0" "6x86\0" "MediaGX\0" "MII\0" "@140\0" "WinChip\0" "@15e\0" "DSP\0"
    "@1f4\0" "Video Processor\0" "@200\0" "RV32\0" "RV64\0" "RV128\0";
// clang-format on

const char *smbios_family_name(unsigned family)
{
    unsigned number = 0;
    for (WORDS_EACH(name, families)) {
        if (name[0] == '@')
            number = (unsigned)strtoul(name + 1, NULL, 16);
        else if (number++ == family)
            return name;
    }
    return NULL;
}
