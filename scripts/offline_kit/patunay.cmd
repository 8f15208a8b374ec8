@echo off
rem Windows: open it, and drag a file or a folder into its window. Or in a command prompt:
rem     patunay.cmd FILE_OR_FOLDER ...
rem Do not drop files onto its icon: Windows then runs what stands behind an & in a name.
rem Finds a Python, and leaves the rest to start.py. PATUNAY_PYTHON names another Python.
setlocal EnableExtensions DisableDelayedExpansion
set "HERE=%~dp0"
set "PATUNAY_KIT_NAME=%~nx0"
set "TEST=import sys; sys.exit(sys.version_info < (3, 11))"

if not defined PATUNAY_PYTHON goto launcher
"%PATUNAY_PYTHON%" -I -S -c "%TEST%" >nul 2>&1
if not errorlevel 1 goto named

:launcher
for %%V in (3.14 3.13 3.12 3.11) do (
    py -%%V -I -S -c "%TEST%" >nul 2>&1
    if not errorlevel 1 (
        set "VERSION=%%V"
        goto with_launcher
    )
)
rem Where no Python is installed, `python` opens the Store, and the test fails.
python -I -S -c "%TEST%" >nul 2>&1
if not errorlevel 1 goto on_path

echo patunay: error: found no Python 3.11 or later / walang nakitang Python 3.11 o mas bago>&2
echo patunay: hint: install one, or name one: set PATUNAY_PYTHON=C:\path\to\python.exe>&2
if "%~1"=="" pause
exit /b 4

:named
"%PATUNAY_PYTHON%" -I -S "%HERE%start.py" %*
exit /b

:with_launcher
py -%VERSION% -I -S "%HERE%start.py" %*
exit /b

:on_path
python -I -S "%HERE%start.py" %*
exit /b
