"""The enums of the contract, each with its words. Source: StackOne's published HRIS OpenAPI (August 2026)."""

from connectors.contract import Words

BANK_ACCOUNT_TYPE = Words(
    "BankAccountTypeEnum",
    frozenset(
        """
        savings checking current business personal other unmapped_value
        """.split()
    ),
)

BENEFITS_TYPE = Words(
    "BenefitsTypeEnum",
    frozenset(
        """
        retirement_savings health_savings other health_insurance insurance unmapped_value
        """.split()
    ),
)

CLEARING_CODE_TYPE = Words(
    "ClearingCodeTypeEnum",
    frozenset(
        """
        sort_code building_society_reference aba_routing chips_participant_id transit_number
        institution_number bsb_code ifsc_code micr_code clabe cnaps_code ch_bank_clearing_code
        ch_sic_code zengin_code nz_clearing_code hk_bank_code blz at_bankleitzahl nuban
        se_bankgiro_code unmapped_value
        """.split()
    ),
)

CONTRACT_TYPE = Words(
    "ContractTypeEnum",
    frozenset(
        """
        full_time shifts part_time unmapped_value
        """.split()
    ),
)

COUNTRY_CODE = Words(
    "CountryCodeEnum",
    frozenset(
        """
        AF AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BQ BA BW BV BR
        IO BN BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG CD CK CR HR CU CW CY CZ CI DK DJ DM
        DO EC EG SV GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG GN GW
        GY HT HM VA HN HK HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KP KR KW KG LA LV LB LS
        LR LY LI LT LU MO MK MG MW MY MV ML MT MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM NA NR NP
        NL NC NZ NI NE NG NU NF MP NO OM PK PW PS PA PG PY PE PH PN PL PT PR QA RO RU RW RE BL SH KN
        LC MF PM VC WS SM ST SA SN RS SC SL SG SX SK SI SB SO ZA GS SS ES LK SD SR SJ SZ SE CH SY TW
        TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM ZW
        unmapped_value
        """.split()
    ),
)

CURRENCY_CODE = Words(
    "CurrencyCodeEnum",
    frozenset(
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
        BYN BZD CAD CDF CHF CLP CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
        GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES
        KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
        MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
        RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD
        TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XDR XOF XPF YER ZAR ZMW ZWL unmapped_value
        """.split()
    ),
)

CUSTOM_FIELD_TYPE = Words(
    "CustomFieldTypeEnum",
    frozenset(
        """
        date float integer list checkbox text boolean single_select multi_select url other
        unmapped_value
        """.split()
    ),
)

DEPARTMENT_TYPE = Words(
    "DepartmentTypeEnum",
    frozenset(
        """
        department company division group project team unmapped_value
        """.split()
    ),
)

DIVISION_TYPE = Words(
    "DivisionTypeEnum",
    frozenset(
        """
        department company division group project cost_center team unmapped_value
        """.split()
    ),
)

EMPLOYMENT_SCHEDULE_TYPE = Words(
    "EmploymentScheduleTypeEnum",
    frozenset(
        """
        full_time shifts part_time unmapped_value
        """.split()
    ),
)

EMPLOYMENT_STATUS = Words(
    "EmploymentStatusEnum",
    frozenset(
        """
        active pending terminated leave inactive unknown unmapped_value
        """.split()
    ),
)

EMPLOYMENT_TYPE = Words(
    "EmploymentTypeEnum",
    frozenset(
        """
        contractor intern permanent apprentice freelance terminated temporary seasonal volunteer
        probation internal external expatriate employer_of_record casual Programme unmapped_value
        """.split()
    ),
)

ETHNICITY = Words(
    "EthnicityEnum",
    frozenset(
        """
        white black_or_african_american asian hispanic_or_latino american_indian_or_alaska_native
        native_hawaiian_or_pacific_islander two_or_more_races not_disclosed other unmapped_value
        """.split()
    ),
)

FILE_CATEGORY = Words(
    "FileCategoryEnumApiModel",
    frozenset(
        """
        """.split()
    ),
)

FILE_FORMAT = Words(
    "FileFormatEnum",
    frozenset(
        """
        unmapped_value ez aw atom atomcat atomdeleted atomsvc dwd held rsat bdoc xcs ccxml cdfx
        cdmia cdmic cdmid cdmio cdmiq cu mpd davmount dbk dssc xdssc es ecma emma emotionml epub exi
        exp fdt pfr geojson gml gpx gxf gz hjson stk ink inkml ipfix its jar war ear ser class js
        mjs json map json5 jsonml jsonld lgr lostxml hqx cpt mads webmanifest mrc mrcx ma nb mb
        mathml mbox mscml metalink meta4 mets maei musd mods m21 mp21 mp4s m4p doc dot mxf nq nt cjs
        bin dms lrf mar so dist distz pkg bpk dump elc deploy exe dll deb dmg iso img msi msp msm
        buffer oda opf ogx omdoc onetoc onetoc2 onetmp onepkg oxps relo xer pdf pgp asc sig prf p10
        p7m p7c p7s p8 ac cer crl pkipath pki pls ai eps ps provx pskcxml raml rdf owl rif rnc rl
        rld rs rapd sls rusd gbr mft roa rsd rss rtf sbml scq scs spq spp sdp senmlx sensmlx setpay
        setreg shf siv sieve smi smil rq srx gram grxml sru ssdl ssml swidtag tei teicorpus tfi tsd
        toml trig ttml ubj rsheet td vxml wasm wgt hlp wsdl wspolicy xaml xav xca xdf xel xns xenc
        xhtml xht xlf xml xsl xsd rng dtd xop xpl *xsl xslt xspf mxml xhvml xvml xvm yang yin zip
        *3gpp adp amr au snd mid midi kar rmi mxmf *mp3 m4a mp4a mpga mp2 mp2a mp3 m2a m3a oga ogg
        spx opus s3m sil wav *wav weba xm ttc otf ttf woff woff2 exr apng avif bmp cgm drle emf fits
        g3 gif heic heics heif heifs hej2 hsj2 ief jls jp2 jpg2 jpeg jpg jpe jph jhc jpm jpx jpf jxr
        jxra jxrs jxs jxsc jxsi jxss ktx ktx2 png sgi svg svgz t38 tif tiff tfx webp wmf
        disposition-notification u8msg u8dsn u8mdn u8hdr eml mime 3mf gltf glb igs iges msh mesh
        silo mtl obj stpx stpz stpxz stl wrl vrml *x3db x3dbz x3db *x3dv x3dvz x3d x3dz x3dv
        appcache manifest ics ifb coffee litcoffee css csv html htm shtml jade jsx less markdown md
        mml mdx n3 txt text conf def list log in ini rtx *rtf sgml sgm shex slim slm spdx stylus
        styl tsv t tr roff man me ms ttl uri uris urls vcard vtt *xml yaml yml 3gp 3gpp 3g2 h261
        h263 h264 m4s jpgv *jpm jpgm mj2 mjp2 ts mp4 mp4v mpg4 mpeg mpg mpe m1v m2v ogv qt mov webm
        cww 1km plb psb pvb tcap pwn aso imp acu atc acutc air fcdt fxp fxpl xdp xfdf ahead azf azs
        azw acc ami apk cii fti atx mpkg key m3u8 numbers pages pkpass swi iota aep bmml mpm bmi rep
        cdxml mmd cdy csl cla rp9 c4g c4d c4f c4p c4u c11amc c11amz csp cdbcmsg cmc clkx clkk clkp
        clkt clkw wbs pml ppd car pcurl dart rdz dbf uvf uvvf uvd uvvd uvt uvvt uvx uvvx uvz uvvz
        fe_launch dna mlp mle dpg dfac kpxx ait svc geo mag nml esf msf qam slt ssf es3 et3 ez2 ez3
        fdf mseed seed dataless gph ftc fm frame maker book fnc ltf fsc oas oa2 oa3 fg5 bh2 ddd xdw
        xbd fzs txd ggb ggt gex gre gxt g2w g3w gmx gdoc gslides gsheet kml kmz gqf gqs gac ghf gim
        grv gtm tpl vcg hal zmm hbci les hpgl hpid hps jlt pcl pclxl sfd-hdstx mpy afp listafp
        list3820 irm sc icc icm igl ivp ivu igm xpw xpx i2g qbo qfx rcprofile irp xpr fcs jam rms
        jisp joda ktz ktr karbon chrt kfo flw kon kpr kpt ksp kwd kwt htke kia kne knp skp skd skt
        skm sse lasxml lbd lbe apr pre nsf org scm lwp portpkg mvt mcd mc1 cdkey mwf mfm flo igx mif
        daf dis mbk mqy msl plc txf mpn mpc xul cil cab xls xlm xla xlc xlt xlw xlam xlsb xlsm xltm
        eot chm ims lrm thmx msg cat *stl ppt pps pot ppam pptm sldm ppsm potm mpp mpt docm dotm wps
        wks wcm wdb wpl xps mseq mus msty taglet nlu ntf nitf nnd nns nnw *ac ngdat n-gage rpst rpss
        edm edx ext odc otc odb odf odft odg otg odi oti odp otp ods ots odt odm ott oth xo dd2 obgx
        oxt osm pptx sldx ppsx potx xlsx xltx docx dotx mgp dp esa pdb pqa oprc paw str ei6 efif wg
        plf pbd box mgz qps ptid qxd qxt qwd qwt qxl qxb rar bed mxl musicxml cryptonote cod rm rmvb
        link66 st see sema semd semf ifm itp iif ipk twd twds mmf teacher fo sdkm sdkd dxp sfs sdc
        sda sdd smf sdw vor sgl smzip sm wadl sxc stc sxd std sxi sti sxm sxw sxg stw sus susp svd
        sis sisx xsm bdm xdm ddf tao pcap cap dmp tmo tpt mxs tra ufd ufdl utz umj unityweb uoml vcx
        vsd vst vss vsw vis vsf wbxml wmlc wmlsc wtb nbp wpd wqd stf xar xfdl hvd hvs hvp osf osfpvg
        saf spf cmp zir zirz zaz 7z abw ace *dmg arj aab x32 u32 vox aam aas bcpio *bdoc torrent blb
        blorb bz bz2 boz cbr cba cbt cbz cb7 vcd cfs chat pgn crx cco nsc cpio csh *deb udeb dgc dir
        dcr dxr cst cct cxt w3d fgd swa wad ncx dtb res dvi evy eva bdf gsf psf pcf snf pfa pfb pfm
        afm arc spl gca ulx gnumeric gramps gtar hdf php install *iso *key *numbers *pages jardiff
        jnlp kdbx latex luac lzh lha run mie prc mobi application lnk wmd wmz xbap mdb obd crd clp
        *exe *dll com bat *msi mvb m13 m14 *wmf *wmz *emf emz mny pub scd trm wri nc cdf pac nzb pl
        pm *prc *pdb p12 pfx p7b spc p7r *rar rpm ris sea sh shar swf xap sql sit sitx srt sv4cpio
        sv4crc t3 gam tar tcl tk tex tfm texinfo texi *obj ustar hdd ova ovf vbox vbox-extpack vdi
        vhd vmdk src webapp der crt pem fig *xlf xpi xz z1 z2 z3 z4 z5 z6 z7 z8 uva uvva eol dra dts
        dtshd lvp pya ecelp4800 ecelp7470 ecelp9600 rip aac aif aiff aifc caf flac *m4a mka m3u wax
        wma ram ra rmp *ra cdx cif cmdf cml csml xyz btif pti psd azv uvi uvvi uvg uvvg djvu djv
        *sub dwg dxf fbs fpx fst mmr rlc ico dds mdi wdp npx b16 tap vtf wbmp xif pcx 3ds ras cmx fh
        fhc fh4 fh5 fh7 *ico jng sid *bmp *pcx pic pct pnm pbm pgm ppm rgb tga xbm xpm xwd wsc dae
        dwf gdl gtw mts ogex x_b x_t vds usdz bsp vtu dsc curl dcurl mcurl scurl sub fly flx gv 3dml
        spot jad wml wmls s asm c cc cxx cpp h hh dic htc f for f77 f90 hbs java lua mkd nfo opml
        *org p pas pde sass scss etx sfv ymp uu vcs vcf uvh uvvh uvm uvvm uvp uvvp uvs uvvs uvv uvvv
        dvb fvt mxu m4u pyv uvu uvvu viv f4v fli flv m4v mkv mk3d mks mng asf asx vob wm wmv wmx wvx
        avi movie smv ice mht
        """.split()
    ),
)

GENDER = Words(
    "GenderEnum",
    frozenset(
        """
        male female non_binary other not_disclosed diverse unmapped_value
        """.split()
    ),
)

GROUP_TYPE = Words(
    "GroupTypeEnum",
    frozenset(
        """
        workspace team department group organization unmapped_value cost_center
        """.split()
    ),
)

HRIS_DOCUMENT_TYPE = Words(
    "HrisDocumentTypeEnum",
    frozenset(
        """
        application academic contract certificates visa passport driver_license payslip payroll
        appraisal resume policy cover_letter offer_letter policy_agreement home_address national_id
        confidential signed shared other benefit id_verification background_check unmapped_value
        """.split()
    ),
)

HRIS_JOB_STATUS = Words(
    "HrisJobStatusEnum",
    frozenset(
        """
        draft pending archived closed open deleted unmapped_value
        """.split()
    ),
)

LANGUAGE = Words(
    "LanguageEnum",
    frozenset(
        """
        ar_AR aa_ER af_NA af_ZA am_ET ar_AE ar_BH ar_DJ ar_DZ ar_EG ar_ER ar_IQ ar_JO ar_KM ar_KW
        ar_LB ar_LY ar_MA ar_MR ar_OM ar_PS ar_QA ar_SA ar_SD ar_SY ar_TD ar_TN ar_YE ay_BO ay_PE
        az_AZ az_IR be_BY bg_BG bi_VU bn_BD bn_IN bs_BA bs-ME byn_ER ca_AD ca_ES ca_FR ca_IT ch_GU
        cs_CZ da_DK de_AT de_BE de_CH de_DE de_LI de_LU de_VA de_MV dv_MV dz_BT el_CY el_GR en_AG
        en_AI en_AS en_AU en_BB en_BE en_BM en_BS en_BW en_BZ en_CA en_CC en_CK en_CM en_CW en_CX
        en_DG en_DM en_ER en_FJ en_FK en_FM en_GB en_GD en_GG en_GH en_GI en_GM en_GS en_GU en_GY
        en_HK en_IE en_IM en_IN en_IO en_JE en_JM en_KE en_KI en_KN en_KY en_LC en_LR en_LS en_MF
        en_MG en_MH en_MO en_MP en_MS en_MT en_MU en_MW en_MY en_NA en_NF en_NG en_NL en_NR en_NU
        en_NZ en_PG en_PH en_PK en_PN en_PR en_PW en_RW en_SB en_SC en_SD en_SG en_SH en_SL en_SS
        en_SX en_SZ en_TC en_TK en_TO en_TT en_TV en_TZ en_UG en_UM en_US en_VC en_VG en_VI en_VU
        en_WS en_ZA en_ZM en_ZW es_AR es_BO es_BZ es_CL es_CO es_CR es_CU es_DO es_EA es_EC es_EH
        es_ES es_GQ es_GT es_HN es_IC es_LA es_MX es_NI es_PA es_PE es_PH es_PR es_PY es_SV es_US
        es_UY es_VE et_EE fa_AF fa_IR fan_GA ff_CM ff_GN ff_MR ff_SN ff_BF fi_FI fj_FJ fo_FO fr_BE
        fr_BF fr_BI fr_BJ fr_BL fr_CA fr_CD fr_CF fr_CG fr_CH fr_CI fr_CM fr_DJ fr_DZ fr_FR fr_GA
        fr_GF fr_GG fr_GN fr_GP fr_GQ fr_HT fr_KM fr_JE fr_LU fr_LB fr_MA fr_MC fr_MF fr_MG fr_ML
        fr_MQ fr_MR fr_MU fr_NC fr_NE fr_PF fr_PM fr_RE fr_RW fr_SC fr_SN fr_SY fr_TD fr_TF fr_TG
        fr_TN fr_VU fr_VA fr_WF fr_YT ga_IE gn_PY gn_AR gu_IN gv_IM he_IL hi_IN hr_BA hr_HR hr_ME
        ht_HT hu_HU hy_AM hy_CY id_ID is_IS it_CH it_IT it_SM it_VA ja_JP ka_GE kg_CD kk_KZ kl_GL
        km_KH ko_KP ko_KR ku_IQ ky_KG la_VA lb_LU ln_AO ln_CD ln_CF ln_CG lo_LA lt_LT lu_CD lv_LV
        mg_MG mh_MH mi_NZ mk_MK mn_MN mr_IN ms_BN ms_MY ms_SG mt_MT my_MM nb_NO nb_BV nb_ZW ne_NP
        nl_AW nl_BE nl_BQ nl_CW nl_NL nl_SR nl_SX nl_MF nn_NO nn_BV no_NO no_BV no_SJ nr_ZA ny_MW
        pa_IN pa_PK pl_PL ps_AF pt_AO pt_BR pt_CH pt_CV pt_GQ pt_GW pt_LU pt_MO pt_MZ pt_PT pt_ST
        pt_TL qu_BO qu_EC qu_PE rar_CK rm_CH rup_MK ro_MD ro_RO ru_BY ru_KG ru_KZ ru_MD ru_RU ru_UA
        ru_AQ ru_TJ ru_TM ru_UZ rw_RW se_SE sg_CF si_LK sk_SK sl_SI sm_AS sm_WS sn_ZW so_DJ so_ET
        so_KE so_SO sq_AL sq_ME sq_XK sr_BA sr_ME sr_RS sr_XK ss_SZ ss_ZA sv_AX sv_FI sv_SE sw_KE
        sw_TZ sw_UG sw_CD ta_IN ta_MY ta_SG ta_LK te_IN tg_TJ th_TH ti_ER ti_ET tig_ER tk_TM tk_AF
        tn_BW tn_ZA to_TO tr_CY tr_TR ts_ZA uk_UA ur_IN ur_PK uz_AF uz_UZ ve_ZA vi_VN xh_ZA zh_CN
        zh_HK zh_MO zh_SG zh_TW zu_ZA unmapped_value
        """.split()
    ),
)

LOCATION_TYPE = Words(
    "LocationTypeEnum",
    frozenset(
        """
        home work unmapped_value
        """.split()
    ),
)

MARITAL_STATUS = Words(
    "MaritalStatusEnum",
    frozenset(
        """
        single married common_law divorced widowed domestic_partnership separated other
        not_disclosed unmapped_value
        """.split()
    ),
)

NATIONAL_IDENTITY_NUMBER_TYPE = Words(
    "NationalIdentityNumberTypeEnumApiModel",
    frozenset(
        """
        ssn nin sin nid pin pn umcn pic ric idnum cid nidnr pan aadhaar epic ptn itin tin uprc pcode
        ssi cedula passport voterid ntin bn fnr mva civil_id cnic nric fin uen registrationnumber
        nic personnummer ahv id eid va pid nrt nipt cbu cuit dni businessid vnr abn acn tfn jmbg bis
        insz nn egn pnf vat cnpj unp gst pst qst ni dic rc uid rut uscc cpf cpj cr stnr svnr ncf rnc
        nif ci ik kmkr registrikood tn ruc nit alv hetu ytunnus vn utr nifp amka cui nir siren siret
        tva oib hkid anum kennitala vsk npwp pps gstin idnr hr aic codicefiscale iva peid asmens pvm
        ctps vrn vtk int tk pas rne rg nci crnm pis insee tax mpf epfo esi pran uan idk bsn mid sss
        nie nss arc curp imss rfc ein other unknown unmapped_value
        """.split()
    ),
)

PAY_FREQUENCY = Words(
    "PayFrequencyEnum",
    frozenset(
        """
        hourly weekly bi_weekly four_weekly semi_monthly monthly bi_monthly quarterly semi_annually
        yearly thirteen_monthly pro_rata unmapped_value half_yearly daily fixed
        """.split()
    ),
)

PAY_PERIOD = Words(
    "PayPeriodEnum",
    frozenset(
        """
        hour day week every_two_weeks month quarter every_six_months year unmapped_value
        """.split()
    ),
)

POSITION_STATUS = Words(
    "PositionStatusEnum",
    frozenset(
        """
        open draft closed paused unmapped_value
        """.split()
    ),
)

PREFERRED_LANGUAGE = Words(
    "PreferredLanguageEnum",
    frozenset(
        """
        aar afr amh ara aym aze bel bul bis ben bos byn cat cha ces dan deu div dzo ell eng spa est
        fas fan ful fin fij fao fra gle grn guj glv heb hin hrv hat hun hye ind isl ita jpn kat kon
        kaz kal khm kor kur kir lat ltz lin lao lit lub lav mlg mah mri mkd mon mar msa mlt mya nob
        nep nld nno nor nbl nya pan pol pus por que rar roh rup ron rus kin sme sag sin slk slv smo
        sna som sqi srp ssw swe swa tam tel tgk tha tir tig tuk tsn ton tur tso ukr urd uzb ven vie
        xho zho zul unmapped_value
        """.split()
    ),
)

ROLE_TYPE = Words(
    "RoleTypeEnum",
    frozenset(
        """
        admin viewer editor basic guest unassigned restricted unmapped_value
        """.split()
    ),
)

SHIFT_APPROVAL_STATUS = Words(
    "ShiftApprovalStatusEnum",
    frozenset(
        """
        pending approved rejected unmapped_value
        """.split()
    ),
)

SHIFT_STATUS = Words(
    "ShiftStatusEnum",
    frozenset(
        """
        draft published confirmed cancelled unmapped_value
        """.split()
    ),
)

TASK_STATUS = Words(
    "TaskStatusEnum",
    frozenset(
        """
        open in_progress blocked completed cancelled unmapped_value
        """.split()
    ),
)

TASK_TYPE = Words(
    "TaskTypeEnum",
    frozenset(
        """
        action review acknowledgment edit approve unmapped_value
        """.split()
    ),
)

TEAM_TYPE = Words(
    "TeamTypeEnum",
    frozenset(
        """
        team unmapped_value
        """.split()
    ),
)

TIME_ENTRY_STATUS = Words(
    "TimeEntryStatusEnum",
    frozenset(
        """
        approved unmapped_value
        """.split()
    ),
)

TIME_OFF_BALANCE_UNIT = Words(
    "TimeOffBalanceUnitEnum",
    frozenset(
        """
        minutes hours days weeks months years unknown unmapped_value
        """.split()
    ),
)

TIME_OFF_POLICY_TYPE = Words(
    "TimeOffPolicyTypeEnum",
    frozenset(
        """
        sick unmapped_value vacation long_term_disability short_term_disability absent comp_time
        training annual_leave leave_of_absence break child_care_leave maternity_leave jury_duty
        sabbatical accident paid unpaid holiday personal in_lieu bereavement other
        """.split()
    ),
)

TIME_OFF_STATUS = Words(
    "TimeOffStatusEnum",
    frozenset(
        """
        approved cancelled rejected pending deleted draft unmapped_value
        """.split()
    ),
)

TIME_OFF_TYPE = Words(
    "TimeOffTypeEnum",
    frozenset(
        """
        sick unmapped_value vacation long_term_disability short_term_disability absent comp_time
        training annual_leave leave_of_absence break child_care_leave maternity_leave jury_duty
        sabbatical accident paid unpaid holiday personal in_lieu bereavement other
        """.split()
    ),
)

TYPE = Words(
    "TypeEnum",
    frozenset(
        """
        contractor intern permanent apprentice freelance terminated temporary seasonal volunteer
        probation internal external expatriate employer_of_record casual Programme unmapped_value
        """.split()
    ),
)

WORK_ELIGIBILITY_TYPE = Words(
    "WorkEligibilityTypeEnum",
    frozenset(
        """
        visa passport driver_license birth_certificate other unmapped_value
        """.split()
    ),
)

WORK_TIME_UNIT = Words(
    "WorkTimeUnitEnum",
    frozenset(
        """
        day week month year unmapped_value
        """.split()
    ),
)
